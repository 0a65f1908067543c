package connector

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var line = AuditEntry{ID: 7, Place: 3, At: time.Date(2026, 3, 28, 12, 0, 0, 123456789, time.UTC), Actor: "operator", Action: "wish",
	Subject: "amazon-de/A", Reason: "buyer asked", Planned: "abc", Detail: json.RawMessage(`{"n":1}`)}

func TestSealCoversEveryField(t *testing.T) {
	seal := line.Seal("before")
	require.Len(t, seal, 64)
	for name, change := range map[string]func(a *AuditEntry){
		"place":   func(a *AuditEntry) { a.Place++ },
		"id":      func(a *AuditEntry) { a.ID++ },
		"at":      func(a *AuditEntry) { a.At = a.At.Add(time.Microsecond) },
		"actor":   func(a *AuditEntry) { a.Actor = "system" },
		"action":  func(a *AuditEntry) { a.Action = "reopen" },
		"subject": func(a *AuditEntry) { a.Subject = "amazon-de/B" },
		"reason":  func(a *AuditEntry) { a.Reason = "" },
		"planned": func(a *AuditEntry) { a.Planned = "abd" },
		"detail":  func(a *AuditEntry) { a.Detail = json.RawMessage(`{"n":2}`) },
		"moved":   func(a *AuditEntry) { a.Actor, a.Action = a.Actor+a.Action, "" },
	} {
		other := line
		change(&other)
		require.NotEqual(t, seal, other.Seal("before"), name)
	}
	require.NotEqual(t, seal, line.Seal("after"))
}

func TestSealIsTheSameHoweverTheInstantIsTold(t *testing.T) {
	other := line
	other.At = line.At.Truncate(time.Microsecond).In(time.FixedZone("", 3600))
	other.Hash = "what was there before"
	require.Equal(t, line.Seal(""), other.Seal(""))
}

// The encoding must never change: chains on disk are checked with it.
func TestSealIsForEver(t *testing.T) {
	require.Equal(t, "6872002fac9b8ee7572ee3335745d2f4d6dd001501503faf40799f8e09125865", line.Seal(""))
}

func TestActorOf(t *testing.T) {
	require.Equal(t, "system", ActorOf(t.Context(), "system"))
	require.Equal(t, "api", ActorOf(As(t.Context(), "api"), "system"))
}
