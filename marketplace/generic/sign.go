package generic

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

// Names of the three headers of a signed push.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix = "whsec_"
	minSecret    = 24 // bytes, as the specification asks
	maxSigs      = 16 // signatures looked at in one push
)

func decodeSecret(s secret.Text) ([]byte, error) {
	text, ok := strings.CutPrefix(s.Reveal(), secretPrefix)
	if !ok {
		return nil, errors.New("does not begin with " + secretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is not base64 after " + secretPrefix)
	}
	if len(key) < minSecret {
		return nil, errors.New("is shorter than 24 bytes")
	}
	return key, nil
}

// Sign returns the headers of a push as a channel would send it, for tests and fakes.
func Sign(s secret.Text, id string, at time.Time, body []byte) (http.Header, error) {
	key, err := decodeSecret(s)
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(mac(key, id, stamp, body)))
	return h, nil
}

func mac(key []byte, id, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + stamp + ".")) // hash.Hash never fails
	h.Write(body)
	return h.Sum(nil)
}

// signed reports whether one of the signatures fits one of the keys. Every pair is computed and
// compared in constant time.
func signed(keys [][]byte, id, stamp, signatures string, body []byte) bool {
	var given [][]byte
	for _, s := range strings.Fields(signatures) {
		text, ok := strings.CutPrefix(s, "v1,")
		if !ok {
			continue // another version of the scheme
		}
		sum, err := base64.StdEncoding.DecodeString(text)
		if err == nil && len(given) < maxSigs {
			given = append(given, sum)
		}
	}
	good := false
	for _, key := range keys {
		want := mac(key, id, stamp, body)
		for _, sum := range given {
			good = hmac.Equal(want, sum) || good
		}
	}
	return good
}
