// Package signature signs webhooks and checks their signatures as the Standard Webhooks text says
// (https://www.standardwebhooks.com, version 1.0.0, symmetric signatures "v1"): HMAC-SHA256 over
// "id.timestamp.body", in base64. The adapter that takes such pushes and the sender of our own
// events share it.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/secret"
)

// Names of the three headers of a signed webhook.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp" // seconds since 1970
	HeaderSignature = "Webhook-Signature"
)

const (
	version = "v1,"
	prefix  = "whsec_"
	minKey  = 24 // bytes, as the text asks
	maxSigs = 16 // signatures looked at in one webhook
)

// Key signs. It prints as stars.
type Key struct{ bytes []byte }

func (k Key) String() string { return "***" }

// GoString keeps %#v from showing the key.
func (k Key) GoString() string { return k.String() }

// ParseKey reads a secret as it is handed out: "whsec_" and base64 of at least 24 bytes. Its errors
// do not repeat the secret.
func ParseKey(s secret.Text) (Key, error) {
	text, ok := strings.CutPrefix(s.Reveal(), prefix)
	if !ok {
		return Key{}, errors.New("does not begin with " + prefix)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Key{}, errors.New("is not base64 after " + prefix)
	}
	if len(b) < minKey {
		return Key{}, errors.New("is shorter than 24 bytes")
	}
	return Key{b}, nil
}

// Header are the three headers of a webhook that is sent at at. It is signed with every key given,
// so that a receiver may know any of them while a secret is being changed.
func Header(id string, at time.Time, body []byte, keys ...Key) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var all []string
	for _, k := range keys {
		all = append(all, version+base64.StdEncoding.EncodeToString(k.sum(id, stamp, body)))
	}
	h := http.Header{}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, strings.Join(all, " "))
	return h
}

func (k Key) sum(id, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, k.bytes)
	h.Write([]byte(id + "." + stamp + ".")) // hash.Hash never fails
	h.Write(body)
	return h.Sum(nil)
}

// Fits reports whether one of the signatures, divided by spaces, fits one of the keys. Every pair
// is computed and compared in constant time. The age of the timestamp is the caller's to judge.
func Fits(keys []Key, id, stamp, signatures string, body []byte) bool {
	var given [][]byte
	for _, s := range strings.Fields(signatures) {
		text, ok := strings.CutPrefix(s, version)
		if !ok {
			continue // another version of the scheme
		}
		sum, err := base64.StdEncoding.DecodeString(text)
		if err == nil && len(given) < maxSigs {
			given = append(given, sum)
		}
	}
	good := false
	for _, k := range keys {
		want := k.sum(id, stamp, body)
		for _, sum := range given {
			good = hmac.Equal(want, sum) || good
		}
	}
	return good
}
