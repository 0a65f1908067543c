// Package webhooks is the door for pushes of channels and stores.
//
// A request is read once within limits, authenticated by the connection's own receiver, kept
// durably and only then answered with 200. Nothing is called from here and nothing is decided:
// a push says "look at this order", and the loop looks.
//
//	POST /webhooks/{connection}
//	  │ unknown connection ───────────────→ 404  counted
//	  │ headers, body, time beyond limits ─→ 431 413 408 400  rejected
//	  │ Receive: not authentic ────────────→ 401 400  rejected, kept within a bound
//	  │ Receive: authentic, not understood → 200  quarantined, replayable
//	  │ Inbox.Record fails ────────────────→ 503  the sender comes again; nothing was promised
//	  └ kept ──────────────────────────────→ 200  accepted or duplicate, then a nudge
//
// Receivers verify before they parse. So an ErrMalformed of theirs means that the signature was
// right, and the sender is told 200: a sender that only sees errors drops its subscription.
//
// The state of a connection does not matter here: a paused or disconnected one still records.
package webhooks
