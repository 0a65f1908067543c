package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	get := func(n int) string { return strings.TrimSpace(h.Get(names[n])) }
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

// push is the part of all bodies that is read. Numbers stay text until they are known to be ids.
type push struct {
	ID, OrderID, EditedOrder         json.RawMessage
	GID, UpdatedAt, SourceIdentifier string
	NoteAttributes                   json.RawMessage
}

// readPush takes the few members that are needed out of a body, in one pass: most of a push is
// never decoded. Ids stay as they stand in the text, since they exceed what a float can hold.
// The texts share the body's memory, which nobody changes.
func readPush(body []byte) (p push, err error) {
	whole := gjson.Parse(unsafe.String(unsafe.SliceData(body), len(body)))
	if !gjson.ValidBytes(body) || !whole.IsObject() {
		return p, errors.New("the body is not one JSON object")
	}
	raw := func(v gjson.Result) json.RawMessage { return json.RawMessage(v.Raw) }
	whole.ForEach(func(name, v gjson.Result) bool {
		switch name.Str {
		case "id":
			p.ID = raw(v)
		case "order_id":
			p.OrderID = raw(v)
		case "admin_graphql_api_id":
			p.GID = v.Str
		case "updated_at":
			p.UpdatedAt = v.Str
		case "source_identifier":
			p.SourceIdentifier = v.Str
		case "note_attributes":
			p.NoteAttributes = raw(v)
		case "order_edit":
			p.EditedOrder = raw(v.Get("order_id"))
		}
		return true
	})
	return p, nil
}

// understand turns topic and body into a hint.
func understand(hint shopadmin.Hint, body []byte) (shopadmin.Hint, error) {
	p, err := readPush(body)
	if err != nil {
		return shopadmin.Hint{}, malformed(hint.Topic, err)
	}
	switch family, _, _ := strings.Cut(hint.Topic, "/"); {
	case hint.Topic == "app/uninstalled":
		hint.Lifecycle = shopadmin.Uninstalled
	case hint.Topic == "app/scopes_update":
		hint.Lifecycle = shopadmin.ScopesChanged
	case hint.Topic == "orders/edited":
		hint.Order, err = orderID(p.EditedOrder)
	case family == "orders":
		hint.Heard, hint.Mark = heard(p.UpdatedAt), pushMark(p)
		hint.Order, err = orderOf(p)
	case family == "fulfillments":
		hint.Urgent = true
		hint.Order, err = orderID(p.OrderID)
	case hint.Topic == "refunds/create", hint.Topic == "order_transactions/create":
		hint.Order, err = orderID(p.OrderID)
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
func orderOf(p push) (shopadmin.OrderID, error) {
	if id, err := globalID(p.GID); err == nil {
		return id, nil
	}
	return orderID(p.ID)
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

// orderID reads an id given as a number or as a global id. Ids exceed what a float can hold.
func orderID(raw json.RawMessage) (shopadmin.OrderID, error) {
	var s string
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil {
		if strings.HasPrefix(s, orderPrefix) {
			return globalID(s)
		}
		raw = json.RawMessage(s)
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n <= 0 {
		return "", fmt.Errorf("%q is not an order's id", clip(string(raw), 60))
	}
	return shopadmin.OrderID(orderPrefix + strconv.FormatInt(n, 10)), nil
}

// pushMark reads the mark when the body carries both parts of it.
func pushMark(p push) shopadmin.Mark {
	var list []struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	}
	if p.SourceIdentifier == "" || json.Unmarshal(p.NoteAttributes, &list) != nil {
		return shopadmin.Mark{}
	}
	for _, a := range list {
		if v, ok := a.Value.(string); ok && a.Name == channelKey && v != "" {
			return shopadmin.Mark{Channel: v, Order: p.SourceIdentifier}
		}
	}
	return shopadmin.Mark{}
}
