// Package load sends signed store webhooks as fast as they are taken, at little cost to the
// machine both sides run on: bodies are made and signed beforehand, and HTTP is spoken directly
// on the connection.
package load
