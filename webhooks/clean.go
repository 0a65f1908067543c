package webhooks

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxID     = 200
	maxReason = 300
	maxValue  = 4096
	maxFuture = 10 * time.Minute // a change later than this is a wrong clock, not news
)

// keptPrefixes are the headers needed to read a delivery again, lower case.
var keptPrefixes = []string{"x-shopify-", "shopify-", "webhook-", "x-amz-", "content-type", "user-agent"}

// neverKept are words that make a header a credential, whatever its prefix.
var neverKept = []string{"token", "secret", "cookie", "password", "auth", "key", "credential"}

// keptHeader returns the headers worth keeping, values cleaned.
func keptHeader(h http.Header) map[string][]string {
	kept := make(map[string][]string, len(h))
	for name, values := range h {
		judged, known := usual[name]
		if known && !judged || !known && !worthKeeping(name) {
			continue
		}
		if !known {
			name = textproto.CanonicalMIMEHeaderKey(clean(name, maxID))
		}
		if kept[name] == nil && !slices.ContainsFunc(values, unfit) {
			kept[name] = slices.Clip(values)
			continue
		}
		for _, v := range values {
			kept[name] = append(kept[name], clean(v, maxValue))
		}
	}
	return kept
}

// unfit reports a header's value that must be cleaned before it is kept.
func unfit(v string) bool { return len(v) > maxValue || !printable(v) }

// usual are the headers that nearly every push has, in their canonical form, judged once.
var usual = func() map[string]bool {
	judged := map[string]bool{}
	for _, name := range []string{"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "User-Agent", "Webhook-Id", "Webhook-Signature",
		"Webhook-Timestamp", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id"} {
		judged[name] = worthKeeping(name)
	}
	for _, name := range []string{"Api-Version", "Event-Id", "Hmac-Sha256", "Shop-Domain", "Topic", "Triggered-At", "Webhook-Id"} {
		judged["X-Shopify-"+name], judged["Shopify-"+name] = worthKeeping("X-Shopify-"+name), worthKeeping("Shopify-"+name)
	}
	return judged
}()

// worthKeeping reports a header that is needed to read the delivery again and is no credential.
func worthKeeping(name string) bool {
	if !slices.ContainsFunc(keptPrefixes, func(p string) bool { return len(name) >= len(p) && strings.EqualFold(name[:len(p)], p) }) {
		return false
	}
	name = strings.ToLower(name)
	return !slices.ContainsFunc(neverKept, func(word string) bool { return strings.Contains(name, word) })
}

// clean makes outside text fit for a text column and a log line: valid UTF-8, no control
// characters, at most limit bytes.
func clean(s string, limit int) string {
	if len(s) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	if printable(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
		}
	}
	return true
}

// identity returns id itself, or, where it is too long or not printable, its digest: two
// different ids never become one.
func identity(id string) string {
	if len(id) <= maxID && printable(id) {
		return id
	}
	return digest("id", []byte(id))
}

// digest names content that came without a delivery id, so that its repetition is seen.
func digest(what string, parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
		h.Write([]byte{0})
	}
	return what + ":" + hex.EncodeToString(h.Sum(nil))
}

// safeName is a stranger's path element, fit for a log.
func safeName(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || r == '_' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '?'
	}, s)
}

// heard returns the instant of a change, or zero ("look yourself") where it cannot be true.
func heard(t, latest time.Time) time.Time {
	if t.Before(time.Unix(0, 0)) || t.After(latest) {
		return time.Time{}
	}
	return t
}
