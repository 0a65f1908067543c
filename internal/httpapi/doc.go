// Package httpapi is the door for operators and programs: /v1.
//
// It reads what is kept and writes down what people want. It never calls a marketplace or a
// store, and it decides nothing about orders: a refund asked for here is checked by the same
// planner that will carry it out, kept as a wish, and answered with 202.
//
//	Authorization: Bearer cb_…  → token by its id, hash compared → scope of the route
//	  │ read  → filters, cursor                             → 200 {"data": …, "next_cursor": …}
//	  └ write → body against the document → dry run?        → 200 preview, nothing kept
//	                                      → Idempotency-Key → once done, answered the same for ever
//
// Payouts are the exception to bodies that are small and answers that are made whole: payout files
// come and go as streams, and the pages of a report are cut from one snapshot.
//
// The document in openapi.yaml is the contract: bodies are checked against its schemas while
// serving, and the tests hold every answer against them.
//
// Personal data does not leave through here: snapshots of orders and the bodies of deliveries and
// of writes that carry an address are not part of any answer.
package httpapi
