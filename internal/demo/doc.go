// Package demo plays the main job for a person to watch: real-shaped Amazon orders arrive by
// push and by poll, become store orders tagged "Amazon", exactly once, and shipments made in
// the store are confirmed at Amazon the same day. Then money goes back: a refund of the store
// reaches Amazon once, what Amazon refunded first is not repeated, a cancellation without money is
// refused, and what is cancelled while the channel is removed is refunded after it is connected
// again. The bridge is the real binary as a process of
// its own; the fake Amazon and the fake store are HTTP servers; nothing else is needed.
//
// World is also what the end-to-end tests are played in.
package demo
