// Package connector is the loop and its vocabulary. It knows no marketplace and no store.
//
// Two outside systems are the truth and do not talk to each other. The bridge looks at both,
// works out what is missing on either side, writes down what it is about to do, does it, and
// looks again until nothing is missing.
//
//	channel push ─┐                                      ┌─ channel adapter → marketplace
//	store push  ──┼→ Inbox → subjects due → Loop → Plan → Ledger → send
//	sweeps  ──────┘            (one row per order)  ↑    └─ store adapter → store admin
//	                                                └── look again: it must find nothing
//
// A push is a hint: it says which order to look at, never what happened. Sweeps are the
// guarantee, pushes the speed. Deciding is a pure function in connector/order. Nothing leaves
// before it stands in the Ledger, and an answer that did not come is unknown, never failed.
package connector
