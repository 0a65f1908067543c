// Package notify tells the operator's own systems what happened: it takes events that are due out
// of the outbox (connector.Events) and posts them, signed as the Standard Webhooks text says
// (https://www.standardwebhooks.com, version 1.0.0).
//
//	emit ─→ outbox ─→ claim ─→ POST ─→ 2xx          delivered
//	            ↑               ├─→ 410          given up, the endpoint is switched off
//	            └── again later ┴─→ all else     until the schedule ends, then given up
//
// What is promised: everything emitted reaches each of its endpoints at least once, or is given up
// and stays listed. A crash between the POST and the note of it sends the same event again under the
// same id, so a receiver goes by the id. No order is promised. Several processes on one database
// share the work; a lease keeps two of them from sending the same at the same time.
//
// The addresses are the operator's own configuration, not a stranger's, so private networks may be
// named; redirects, which would let a receiver choose another address, are not followed.
package notify
