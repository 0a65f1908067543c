// Package shopifyfake is a Shopify store in memory that speaks the Admin GraphQL API and sends
// signed webhooks, as awkwardly as the real one: a bucket of query cost, answers lost after their
// effect, a search index that lags, pushes lost, doubled and late, tokens that end.
//
// Money is only written down: refunds need their idempotency key, stay below what was paid and book
// differences as adjustments; a cancellation is a job that may be slow or fail. Staff refund, cancel
// and settle what was pending.
//
// It answers only documents that validate against its schema. Two creations of the same order
// make two orders. It is for tests and the demo; nothing is kept beyond the process.
package shopifyfake
