// Package lifecycle takes a channel through removal and reconnection.
//
//	active ──remove──→ removed ──reconnect──→ reconnecting ──plan──→ active
//
// While it is removed its credentials are gone, facts of the store go on being recorded and
// nothing is sent. A reconnection first reads both sides from before the removal. What then is
// missing at the channel is no special case: the same plan as always says it, order by order, and
// it can be read before anything is sent. There is no window in days: an hour away and a year
// away end the same.
package lifecycle
