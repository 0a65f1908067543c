// Package rig runs the real program as a child process among fake outside systems, for the
// tests and measurements beside it.
//
// The fakes and the senders live in the process that uses the rig, so they survive what is done
// to the bridge and to its database and can tell afterwards what was promised. Everything
// listens on the loopback interface, and every child dies with its parent.
package rig
