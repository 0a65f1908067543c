// Package order keeps an order of a sales channel and its mirror in the store in agreement.
//
// All sync rules stand in the plan files, each naming its R-number:
//
//	plan.go         what is decided in which order, and when to look again
//	plan_mirror.go : the order exists in the store, once, marked
//	plan_ship.go   : a shipment of the store is confirmed at the channel
//	plan_show.go   : what changed at the channel shows in the store; buyers' wishes to cancel
//	plan_warn.go   : deadlines near or missed
//	translate.go   : the channel's order in the store's words
//
// Plan is pure: facts in, commands out. reconcile.go and send.go are the thin shell around it.
package order
