// Package kill holds tests that run the real program and end it, its database, or both without
// warning. What was acknowledged must be there afterwards, and what was done outside must have
// been done once.
//
//	go test ./internal/e2e/kill                                   the short form
//	go test ./internal/e2e/kill -short                            nothing of it
//	go test ./internal/e2e/kill -run TestKill -timeout 6h -deliveries 1000000 -kills 100
//
// Killing processes does not show a missing flush to disk: the kernel keeps what they wrote.
package kill
