// Package generic connects any marketplace that can sign a POST and speak this small API.
//
// Pushes follow Standard Webhooks: the headers webhook-id, webhook-timestamp (Unix seconds) and
// webhook-signature, one or more "v1,<base64>" separated by spaces, each the HMAC-SHA256 of
// "id.timestamp.body" under a secret written "whsec_<base64>". Five minutes of difference
// between the clocks are tolerated. The body is the whole order:
//
//	{
//	  "id": "A-1001",                        text or whole number of any length
//	  "placed_at": "2026-11-20T10:00:00Z",   RFC 3339
//	  "updated_at": "2026-11-20T10:05:00Z",  the version: newer wins
//	  "status": "open",                      pending | open | closed | cancelled
//	  "fulfilled_by": "merchant",            merchant (default) | channel
//	  "currency": "USD",                     ISO 4217
//	  "total": "25.65",                      optional; compared with the sum of the lines
//	  "ship_to": {"name", "company", "line1", "line2", "line3", "city", "district", "region",
//	              "postal_code", "country", "phone"},
//	  "buyer": {"name", "company", "po_number"},
//	  "ship_by": "2026-11-21T23:00:00Z", "deliver_by": "…", "service": "standard",
//	  "cancel_request": {"reason": "…", "lines": ["1"]},
//	  "lines": [{
//	    "id": "1", "sku": "TEA", "title": "Tea", "quantity": 2, "shipped": 0, "cancelled": 0,
//	    "price": "20.00",                    before discount and tax, for the whole quantity
//	    "discount": "0", "tax": "1.65",      optional, for the whole quantity
//	    "tax_included": false, "tax_by_channel": false,
//	    "shipping": "4.00", "shipping_tax": "0", "shipping_discount": "0"
//	  }],
//	  "packages": [{"ref": "1", "carrier": "ups", "tracking": "1Z…", "shipped_at": "…",
//	                "lines": [{"line": "1", "quantity": 2}]}]
//	}
//
// Amounts are decimal texts, or JSON numbers read by their digits; no float is involved. Unknown
// fields are ignored. An unknown status makes the order unmapped; an amount that cannot be read
// exactly makes it malformed.
//
// The API below the base address, with "Authorization: Bearer <token>":
//
//	GET  /orders/{id}                                      → the order, or 404
//	GET  /orders?updated_after=<RFC 3339>&page_token=<t>   → {"orders":[…],"next_page_token":"…"}
//	POST /orders/{id}/shipments                            → 2xx {"id":"…"}
//	  Idempotency-Key: <key>; the same key again acts once and answers alike
//	  {"ref","carrier","carrier_name","service","tracking","shipped_at","lines":[{"line","quantity"}]}
//
// The list holds orders changed at or after the instant, oldest change first. Without a base
// address the channel is push-only: nothing can be read or confirmed.
//
// A channel that takes instructions has three more, and may push an order with "refunds": true when
// what was given back on it has changed:
//
//	POST /orders/{id}/instructions                         → 2xx {"id":"…"}
//	  Idempotency-Key: <key>; the same key again acts once: it is answered alike, or 409 with the
//	  same {"id":"…"}
//	  {"op": "refund",                       cancel | cancel_units | refund
//	   "reason": "…", "currency": "USD",
//	   "amount": "12.83",                    what the buyer gets in all, tax included
//	   "lines": [{"line": "1", "quantity": 1,            no quantity: money alone
//	              "parts": [{"kind": "item", "amount": "10.00", "tax": "0.83"},
//	                        {"kind": "shipping", "amount": "2.00"}]}]}
//	GET  /orders/{id}/refunds?page_token=<t>               → {"refunds":[…],"next_page_token":"…"}
//	GET  /refunds?since=<RFC 3339>&page_token=<t>          → the same, of all orders
//	  {"id": "R1", "order": "A-1001", "posted_at": "…", "currency": "USD", "amount": "12.83",
//	   "untaxed": "12.00", "pending": false, "kind": "refund", "key": "<the key it was asked with>"}
//
// cancel takes the whole order back while nothing of it has shipped, cancel_units takes back units
// that have not; the amount is then what is not charged, or given back where the buyer was charged
// with the order. A part's amount is before tax, for all units concerned; a restocking part is
// negative, a goodwill part goes beyond what was paid. A 4xx means that nothing happened, and 429
// that it may come again. Anything else, a 2xx or 409 without an id among it, means that nobody
// knows: the same key is sent again. A refund's amount is positive; the list is empty, not absent,
// where there is none, and holds what the channel gave back by itself too.
package generic
