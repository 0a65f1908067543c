package connector

import (
	"context"
	"errors"
	"slices"
	"time"
)

// ErrChanged says that something changed since it was read, so nothing was written.
var ErrChanged = errors.New("it was changed meanwhile")

// Token lets a program or a person use the API. The token's text is shown once and never kept.
type Token struct {
	ID     string   `json:"id"` // public, part of the text
	Name   string   `json:"name"`
	Hash   []byte   `json:"-"` // SHA-256 of the text
	Scopes []string `json:"scopes"`
	// Accounts are the channels whose payouts the token sees; none: all.
	Accounts  []ConnectionID `json:"accounts,omitempty"`
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"` // zero: never
	RevokedAt time.Time      `json:"revoked_at,omitzero"`
	UsedAt    time.Time      `json:"used_at,omitzero"` // to the hour
}

// Sees reports whether the payouts of an account are the token's to see.
func (t Token) Sees(account ConnectionID) bool {
	return len(t.Accounts) == 0 || slices.Contains(t.Accounts, account)
}

// Tokens keeps them.
type Tokens interface {
	PutToken(ctx context.Context, t Token) error
	Token(ctx context.Context, id string) (Token, error) // ErrNotFound
	Tokens(ctx context.Context) ([]Token, error)         // by name, also expired and revoked ones
	RevokeToken(ctx context.Context, id string, at time.Time, actor string) error
	TokenUsed(ctx context.Context, id string, at time.Time) error
}

// Reply is what was answered to a write with an idempotency key.
type Reply struct {
	Token  string // the token's id
	Key    string
	Hash   []byte // SHA-256 of what was asked
	At     time.Time
	Status int // 0: the first request is still being answered, or its process died
	Body   []byte
}

// Replies remembers answers, so that a write that is sent again is answered and not done again.
type Replies interface {
	// Reserve keeps a reply without status. When the key is known it returns the earlier one with
	// fresh false; comparing the hashes is the caller's.
	Reserve(ctx context.Context, r Reply) (kept Reply, fresh bool, err error)
	// Answer completes a reserved reply.
	Answer(ctx context.Context, r Reply) error
	// ForgetReplies deletes those kept before the instant.
	ForgetReplies(ctx context.Context, before time.Time) (int, error)
}

// Redaction is what a record's bodies look like without personal data.
type Redaction struct {
	Subject Subject
	At      time.Time
	Actor   string
	Reason  string
	Bodies  map[Side][]byte  // new bodies of snapshots
	Entries map[int64][]byte // new bodies of ledger entries
	// Revision is the record's the new bodies were made from; 0 leaves it to At alone.
	Revision int64
}

// Redactor takes personal data out of what is kept.
type Redactor interface {
	// Redactable lists orders that a snapshot was kept of since personal data was last taken out
	// of them, and that were placed before the instant or have lost personal data before, oldest
	// first. One whose day nobody knows counts as placed when it was first seen. after is the last one of the page before, as
	// Subject.String.
	Redactable(ctx context.Context, placedBefore time.Time, after string, limit int) ([]Subject, error)
	// Redact replaces the bodies and remembers when, or does nothing and returns ErrChanged if a
	// snapshot or an attempt was kept after r.At. ErrNotFound when there is no such order.
	Redact(ctx context.Context, r Redaction) error
	// ForgetBodies empties the kept bodies of deliveries that touched the store orders given, or,
	// without any, all of the connection's; it returns how many. A delivery touched an order when
	// its body holds the number the order's id ends in.
	ForgetBodies(ctx context.Context, conn ConnectionID, orders []string, at time.Time) (int, error)
	// MirrorOf finds the order whose mirror a store order is; ErrNotFound.
	MirrorOf(ctx context.Context, ref ShopRef) (Subject, error)
}
