// Package marketplace says what a sales channel's adapter must do and may do.
//
// Three methods make a channel: read one order, list changed orders, confirm a shipment.
// Everything else is an optional interface; implementing it is the declaration. What no
// method set can show (time zone, settle time, what a repeated send does) is data: Traits.
//
// An adapter translates one outside API and decides nothing. It keeps no state of its own
// beyond tokens and pacing, and classifies every error with internal/fault.
package marketplace
