package main

import "runtime/debug"

// The bridge lives on short-lived buffers: collecting eight times as rarely costs a few dozen
// megabytes and saves about a fifth of the processor time under load. The limit keeps it small anyway.
const (
	gcPercent   = 800
	memoryLimit = 84 << 20
)

// tuneMemory sets the collector unless the environment does.
func (a *app) tuneMemory() {
	if _, set := a.env("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	if _, set := a.env("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(memoryLimit)
	}
}
