package connector

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"
)

// AuditEntry is one line of the record of what was decided and done. The store writes one with
// every intent, outcome, wish, resolved doubt, state of a connection, switch, token and redaction,
// in the transaction of the thing itself. Lines are only ever added; shortly after, each is sealed
// into a chain: its hash covers its contents and the hash of the line before it.
type AuditEntry struct {
	ID      int64           `json:"id"`
	Place   int64           `json:"place,omitempty"` // in the chain, from 1; 0 until it is sealed
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`             // system, operator, or a token's name
	Action  string          `json:"action"`            // intend, settle, wish, resolve, reopen, state, switch, redact, token, …
	Subject string          `json:"subject,omitempty"` // channel/order, or a connection
	Reason  string          `json:"reason,omitempty"`
	Planned string          `json:"planned_on,omitempty"` // hash of the snapshot a command was planned from
	Detail  json.RawMessage `json:"detail,omitempty"`     // no personal data and no secrets
	Hash    string          `json:"hash,omitempty"`       // hex SHA-256
}

// AuditFault is the first broken place of the chain.
type AuditFault struct {
	Place  int64  `json:"place"`
	ID     int64  `json:"id,omitempty"`
	Reason string `json:"reason"`
}

// Audits keeps the record.
type Audits interface {
	// Audit adds a line about something that has no transaction of its own.
	Audit(ctx context.Context, a AuditEntry) error
	// AuditEntries lists lines by id, oldest first, after the id given.
	AuditEntries(ctx context.Context, after int64, limit int) ([]AuditEntry, error)
	// SealAudit puts up to limit lines into the chain and returns how many.
	SealAudit(ctx context.Context, limit int) (int, error)
	// VerifyAudit reads the whole chain and returns how many lines it holds and the first that is
	// broken, nil when none is. progress, unless nil, is told how many were checked.
	VerifyAudit(ctx context.Context, progress func(checked int64)) (checked int64, broken *AuditFault, err error)
}

// Seal returns the line's hash: SHA-256 in hex over the hash of the line before it ("" for the
// first) and every field of this one, each with its length before it, so that no two chains of
// lines are written alike. The instant counts in whole microseconds UTC, as it is kept.
func (a AuditEntry) Seal(prev string) string {
	h := sha256.New()
	for _, field := range []string{
		auditForm, prev, strconv.FormatInt(a.Place, 10), strconv.FormatInt(a.ID, 10),
		strconv.FormatInt(a.At.UnixMicro(), 10), a.Actor, a.Action, a.Subject, a.Reason, a.Planned, string(a.Detail),
	} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(field))) // a hash takes everything
		_, _ = io.WriteString(h, field)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// auditForm names the encoding; another one is a later invention.
const auditForm = "audit line 1"

// Operator is the actor of what a person does on the command line.
const Operator = "operator"

// actorKey is where a context keeps who acts.
type actorKey struct{}

// As returns a context in which what is recorded is done by the actor.
func As(ctx context.Context, actor string) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// ActorOf says who acts, or otherwise when the context does not say.
func ActorOf(ctx context.Context, otherwise string) string {
	if actor, ok := ctx.Value(actorKey{}).(string); ok && actor != "" {
		return actor
	}
	return otherwise
}
