package shopify

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"channelbridge/internal/secret"
	"channelbridge/shopadmin"
)

// pushHeaders are the headers of one push, whichever family they came in.
type pushHeaders struct {
	hmac, topic, shop, version, delivery, event, triggered string
}

// readHeaders takes the newer family (without X-) when it carries a signature, as Shopify's own
// validator does, and never mixes the two.
func readHeaders(h http.Header) pushHeaders {
	prefix := "X-Shopify-"
	if h.Get("Shopify-Hmac-Sha256") != "" {
		prefix = "Shopify-"
	}
	get := func(name string) string { return strings.TrimSpace(h.Get(prefix + name)) }
	return pushHeaders{hmac: get("Hmac-Sha256"), topic: get("Topic"), shop: get("Shop-Domain"), version: get("Api-Version"),
		delivery: get("Webhook-Id"), event: get("Event-Id"), triggered: get("Triggered-At")}
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
	if err := a.Verify(now, in); err != nil {
		return shopadmin.Hint{}, err
	}
	p := readHeaders(in.Header)
	if !strings.EqualFold(p.shop, a.cfg.Shop) {
		return shopadmin.Hint{}, fmt.Errorf("shopify push: it is for the shop %q, not for ours: %w", clip(p.shop, 80), shopadmin.ErrMalformed)
	}
	hint := shopadmin.Hint{DeliveryID: p.delivery, EventID: p.event, Topic: p.topic}
	if at, err := time.Parse(time.RFC3339Nano, p.triggered); err == nil {
		hint.TriggeredAt = at.UTC()
	}
	return understand(hint, in.Body)
}

// Verify checks a push's headers and its signature over its raw bytes, without reading them.
func (a *Admin) Verify(now time.Time, in shopadmin.Inbound) error {
	p := readHeaders(in.Header)
	if name := p.missing(); name != "" {
		return fmt.Errorf("shopify push: %s: %w", name, shopadmin.ErrMissing)
	}
	if len(in.Body) == 0 {
		return fmt.Errorf("shopify push: an empty body: %w", shopadmin.ErrMissing)
	}
	if !a.signed(now, p.hmac, in.Body) {
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
	ID               json.RawMessage `json:"id"`
	OrderID          json.RawMessage `json:"order_id"`
	GID              string          `json:"admin_graphql_api_id"`
	UpdatedAt        string          `json:"updated_at"`
	SourceIdentifier *string         `json:"source_identifier"`
	NoteAttributes   json.RawMessage `json:"note_attributes"`
	OrderEdit        struct {
		OrderID json.RawMessage `json:"order_id"`
	} `json:"order_edit"`
}

// understand turns topic and body into a hint.
func understand(hint shopadmin.Hint, body []byte) (shopadmin.Hint, error) {
	var p push
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&p); err != nil {
		return shopadmin.Hint{}, fmt.Errorf("shopify push %s: %w", clip(hint.Topic, 80), shopadmin.ErrMalformed)
	}
	if _, err := d.Token(); err != io.EOF {
		return shopadmin.Hint{}, fmt.Errorf("shopify push %s: more than one value: %w", clip(hint.Topic, 80), shopadmin.ErrMalformed)
	}
	var err error
	switch family, _, _ := strings.Cut(hint.Topic, "/"); {
	case hint.Topic == "app/uninstalled":
		hint.Lifecycle = shopadmin.Uninstalled
	case hint.Topic == "app/scopes_update":
		hint.Lifecycle = shopadmin.ScopesChanged
	case hint.Topic == "orders/edited":
		hint.Order, err = orderID(p.OrderEdit.OrderID)
	case family == "orders":
		hint.Heard, hint.Mark = heard(p.UpdatedAt), pushMark(p)
		hint.Order, err = orderOf(p)
	case family == "fulfillments":
		hint.Urgent = true
		hint.Order, err = orderID(p.OrderID)
	case hint.Topic == "refunds/create":
		hint.Order, err = orderID(p.OrderID)
	default:
		hint.Ignore = "nothing here depends on this topic"
	}
	if err != nil {
		return shopadmin.Hint{}, fmt.Errorf("shopify push %s: %w: %w", clip(hint.Topic, 80), err, shopadmin.ErrMalformed)
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
	if p.SourceIdentifier == nil || json.Unmarshal(p.NoteAttributes, &list) != nil {
		return shopadmin.Mark{}
	}
	for _, a := range list {
		if v, ok := a.Value.(string); ok && a.Name == channelKey && v != "" && *p.SourceIdentifier != "" {
			return shopadmin.Mark{Channel: v, Order: *p.SourceIdentifier}
		}
	}
	return shopadmin.Mark{}
}
