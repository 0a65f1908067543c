package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
)

// Push is a signed body of the topic orders/create.
type Push struct {
	Body []byte
	HMAC string
}

// words fill an order with text that compresses as people's orders do.
var words = []string{"Canvas", "Linen", "Walnut", "Lamp", "Table", "Kettle", "Northern", "Small", "Harbour", "Green", "Stool",
	"Basket", "Wool", "Ladder", "Street", "Avenue", "Mill", "Garden", "Copper", "Paper"}

// Pushes makes n orders of the store's own, each of about size bytes, signed with the secret.
func Pushes(n, size int, secret string, seed uint64) []Push {
	r := rand.New(rand.NewPCG(seed, 77))
	out := make([]Push, n)
	for i := range out {
		body := Order(r, 5_000_000_000_000+int64(i), size)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		out[i] = Push{Body: body, HMAC: base64.StdEncoding.EncodeToString(mac.Sum(nil))}
	}
	return out
}

// order is a store's order as it is pushed, its members in the store's own sequence: plain ones
// first, lists last.
type order struct {
	ID                int64   `json:"id"`
	GID               string  `json:"admin_graphql_api_id"`
	CreatedAt         string  `json:"created_at"`
	Currency          string  `json:"currency"`
	FinancialStatus   string  `json:"financial_status"`
	FulfillmentStatus *string `json:"fulfillment_status"`
	Name              string  `json:"name"`
	NoteAttributes    []any   `json:"note_attributes"`
	SourceIdentifier  *string `json:"source_identifier"`
	SourceName        string  `json:"source_name"`
	Tags              string  `json:"tags"`
	TotalPrice        string  `json:"total_price"`
	UpdatedAt         string  `json:"updated_at"`
	LineItems         []any   `json:"line_items"`
	Refunds           []any   `json:"refunds"`
	ShippingAddress   any     `json:"shipping_address"`
}

// Order is the body of one push: an order with as many lines as the size asks for.
func Order(r *rand.Rand, id int64, size int) []byte {
	o := order{ID: id, GID: fmt.Sprintf("gid://shopify/Order/%d", id), Name: fmt.Sprintf("#%d", id%1_000_000),
		CreatedAt: "2026-11-21T10:00:00-05:00", UpdatedAt: "2026-11-21T10:00:00-05:00", Currency: "USD",
		TotalPrice: fmt.Sprintf("%d.%02d", r.IntN(400), r.IntN(100)), FinancialStatus: "paid",
		SourceName: "web", Tags: phrase(r, 3), NoteAttributes: []any{}, Refunds: []any{},
		ShippingAddress: map[string]any{"first_name": phrase(r, 1), "last_name": phrase(r, 1), "city": phrase(r, 1),
			"address1": fmt.Sprintf("%d %s", r.IntN(900), phrase(r, 2)), "zip": fmt.Sprint(10000 + r.IntN(80000)), "country_code": "US"}}
	for {
		body, err := json.Marshal(o)
		if err != nil {
			panic(err) // only plain values get here
		}
		if len(body) >= size {
			return body
		}
		o.LineItems = append(o.LineItems, line(r, id, len(o.LineItems)))
	}
}

func line(r *rand.Rand, id int64, n int) map[string]any {
	price := map[string]any{"amount": fmt.Sprintf("%d.%02d", r.IntN(90), r.IntN(100)), "currency_code": "USD"}
	return map[string]any{"id": id*100 + int64(n), "sku": fmt.Sprintf("SKU-%06d", r.IntN(1_000_000)), "title": phrase(r, 4),
		"quantity": 1 + r.IntN(3), "price_set": map[string]any{"shop_money": price, "presentment_money": price},
		"requires_shipping": true, "properties": []any{}, "variant_id": r.Int64N(1 << 40)}
}

func phrase(r *rand.Rand, n int) string {
	text := words[r.IntN(len(words))]
	for range n - 1 {
		text += " " + words[r.IntN(len(words))]
	}
	return text
}
