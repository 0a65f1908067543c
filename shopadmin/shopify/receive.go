package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/tidwall/gjson"

	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
)

// pushHeaders are the headers of one push, whichever family they came in.
type pushHeaders struct {
	hmac, topic, shop, version, delivery, event, triggered string
}

// families are the names of a push's headers in the order of pushHeaders, the newer ones first.
var families = [2][7]string{
	{"Shopify-Hmac-Sha256", "Shopify-Topic", "Shopify-Shop-Domain", "Shopify-Api-Version", "Shopify-Webhook-Id", "Shopify-Event-Id", "Shopify-Triggered-At"},
	{"X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Shop-Domain", "X-Shopify-Api-Version", "X-Shopify-Webhook-Id", "X-Shopify-Event-Id", "X-Shopify-Triggered-At"},
}

// readHeaders takes the newer family (without X-) when it carries a signature, as Shopify's own
// validator does, and never mixes the two.
func readHeaders(h http.Header) pushHeaders {
	names := &families[0]
	if h.Get(names[0]) == "" {
		names = &families[1]
	}
	get := func(n int) string {
		if v := h[names[n]]; len(v) > 0 {
			return strings.TrimSpace(v[0])
		}
		return ""
	}
	return pushHeaders{hmac: get(0), topic: get(1), shop: get(2), version: get(3), delivery: get(4), event: get(5), triggered: get(6)}
}

func (p pushHeaders) missing() string {
	for _, f := range []struct{ name, value string }{{"Hmac-Sha256", p.hmac}, {"Topic", p.topic},
		{"Shop-Domain", p.shop}, {"API-Version", p.version}, {"Webhook-Id", p.delivery}} {
		if f.value == "" {
			return f.name
		}
	}
	return ""
}

// Receive checks a push's signature over its raw bytes and says which order it is about. It
// trusts nothing else in the body: the order is read afresh. Old pushes are valid, since the
// store repeats for four hours with the first body.
func (a *Admin) Receive(now time.Time, in shopadmin.Inbound) (shopadmin.Hint, error) {
	p := readHeaders(in.Header)
	if err := a.verify(now, p, in.Body); err != nil {
		return shopadmin.Hint{}, err
	}
	return a.read(now, p, in.Body)
}

// Unwrap reads a push that was verified when it came and kept since: its secret may have been
// rotated meanwhile.
func (a *Admin) Unwrap(in shopadmin.Inbound) (shopadmin.Hint, error) {
	return a.read(a.cfg.Clock(), readHeaders(in.Header), in.Body)
}

// read says what a push that is authentic is about.
func (a *Admin) read(now time.Time, p pushHeaders, body []byte) (shopadmin.Hint, error) {
	if !strings.EqualFold(p.shop, a.cfg.Shop) {
		return shopadmin.Hint{}, fmt.Errorf("shopify push: it is for the shop %q, not for ours: %w", clip(p.shop, 80), shopadmin.ErrMalformed)
	}
	hint := shopadmin.Hint{DeliveryID: p.delivery, EventID: p.event, Topic: p.topic}
	if at, err := time.Parse(time.RFC3339Nano, p.triggered); err == nil {
		hint.TriggeredAt = at.UTC()
	}
	if kind, ok := privacyTopics[p.topic]; ok {
		return demand(now, hint, kind, body)
	}
	return understand(hint, body)
}

// Verify checks a push's headers and its signature over its raw bytes, without reading them.
func (a *Admin) Verify(now time.Time, in shopadmin.Inbound) error {
	return a.verify(now, readHeaders(in.Header), in.Body)
}

func (a *Admin) verify(now time.Time, p pushHeaders, body []byte) error {
	if name := p.missing(); name != "" {
		return fmt.Errorf("shopify push: %s: %w", name, shopadmin.ErrMissing)
	}
	if len(body) == 0 {
		return fmt.Errorf("shopify push: an empty body: %w", shopadmin.ErrMissing)
	}
	if !a.signed(now, p.hmac, body) {
		return fmt.Errorf("shopify push: %w", shopadmin.ErrSignature)
	}
	return nil
}

// signed compares with the current and, while it lasts, the previous secret; both are always
// computed, and compared in constant time.
func (a *Admin) signed(now time.Time, given string, body []byte) bool {
	mac, err := base64.StdEncoding.Strict().DecodeString(given)
	if err != nil {
		return false
	}
	ok := hmac.Equal(mac, sign(a.cfg.ClientSecret, body))
	if a.cfg.PreviousSecret.Set() && (a.cfg.SecretExpires.IsZero() || now.Before(a.cfg.SecretExpires)) {
		old := hmac.Equal(mac, sign(a.cfg.PreviousSecret, body))
		ok = ok || old
	}
	return ok
}

func sign(key secret.Text, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	h.Write(body) // hash.Hash never fails
	return h.Sum(nil)
}

// object is a body, known to be one JSON object. It shares the body's memory, which nobody changes.
func object(body []byte) (gjson.Result, error) {
	whole := gjson.Parse(unsafe.String(unsafe.SliceData(body), len(body)))
	if !gjson.ValidBytes(body) || !whole.IsObject() {
		return gjson.Result{}, errors.New("the body is not one JSON object")
	}
	return whole, nil
}

// members takes the named members out of an object, in the order of the names, and stops at the
// last of them: most of a push is never decoded, and the store's long lists stand at its end.
func members(whole gjson.Result, names ...string) []gjson.Result {
	found, left := make([]gjson.Result, len(names)), len(names)
	whole.ForEach(func(name, v gjson.Result) bool {
		if i := slices.Index(names, name.Str); i >= 0 && !found[i].Exists() {
			found[i] = v
			left--
		}
		return left > 0
	})
	return found
}

// understand turns topic and body into a hint.
func understand(hint shopadmin.Hint, body []byte) (shopadmin.Hint, error) {
	whole, err := object(body)
	if err != nil {
		return shopadmin.Hint{}, malformed(hint.Topic, err)
	}
	switch family, _, _ := strings.Cut(hint.Topic, "/"); {
	case hint.Topic == "app/uninstalled":
		hint.Lifecycle = shopadmin.Uninstalled
	case hint.Topic == "app/scopes_update":
		hint.Lifecycle = shopadmin.ScopesChanged
	case hint.Topic == "orders/edited":
		hint.Order, err = orderID(whole.Get("order_edit.order_id"))
	case family == "orders":
		m := members(whole, "admin_graphql_api_id", "id", "updated_at", "source_identifier", "note_attributes")
		hint.Heard, hint.Mark = heard(m[2].Str), pushMark(m[3], m[4])
		hint.Order, err = orderOf(m[0], m[1])
	case family == "fulfillments":
		hint.Urgent = true
		hint.Order, err = orderID(whole.Get("order_id"))
	case hint.Topic == "refunds/create", hint.Topic == "order_transactions/create":
		hint.Order, err = orderID(whole.Get("order_id"))
	default:
		hint.Ignore = "nothing here depends on this topic"
	}
	if err != nil {
		return shopadmin.Hint{}, malformed(hint.Topic, err)
	}
	return hint, nil
}

// heard is the version the push speaks of. A fulfillment's or refund's own instant is not the
// order's and is left out.
func heard(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

const orderPrefix = "gid://shopify/Order/"

// orderOf prefers the global id and falls back to the number.
func orderOf(gid, number gjson.Result) (shopadmin.OrderID, error) {
	if id, err := globalID(gid.Str); err == nil {
		return id, nil
	}
	return orderID(number)
}

func globalID(s string) (shopadmin.OrderID, error) {
	number, ok := strings.CutPrefix(s, orderPrefix)
	if !ok {
		return "", fmt.Errorf("%q is not an order's id", clip(s, 60))
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 {
		return "", fmt.Errorf("%q is not an order's id", clip(s, 60))
	}
	return shopadmin.OrderID(orderPrefix + strconv.FormatInt(n, 10)), nil
}

// orderID reads an id given as a number or as a global id. It stays as it stands in the text: ids
// exceed what a float can hold.
func orderID(v gjson.Result) (shopadmin.OrderID, error) {
	text := v.Raw
	if v.Type == gjson.String {
		if text = v.Str; strings.HasPrefix(text, orderPrefix) {
			return globalID(text)
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return "", fmt.Errorf("%q is not an order's id", clip(text, 60))
	}
	return shopadmin.OrderID(orderPrefix + strconv.FormatInt(n, 10)), nil
}

// pushMark reads the mark when the body carries both parts of it.
func pushMark(source, notes gjson.Result) shopadmin.Mark {
	if source.Str == "" || !notes.IsArray() {
		return shopadmin.Mark{}
	}
	for _, note := range notes.Array() {
		if v := note.Get("value"); v.Type == gjson.String && v.Str != "" && note.Get("name").String() == channelKey {
			return shopadmin.Mark{Channel: v.Str, Order: source.Str}
		}
	}
	return shopadmin.Mark{}
}
