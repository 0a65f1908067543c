package connector

import (
	"context"
	"errors"
	"io"
	"time"

	"channelbridge/internal/money"
)

// PayoutState is where a payout stands.
type PayoutState string

const (
	PayoutOpen     PayoutState = "open"
	PayoutClosed   PayoutState = "closed"
	PayoutPaid     PayoutState = "paid"
	PayoutFailed   PayoutState = "failed"
	PayoutReturned PayoutState = "returned"
)

// Payout is one settlement of a channel account as it was imported: a period, a currency, an
// opening balance, lines, a closing balance, an amount sent. A re-issued one is a further revision;
// nothing is edited but the mark that a later revision stands in its place.
type Payout struct {
	ID         int64        `json:"id"`
	Account    ConnectionID `json:"account"`
	External   string       `json:"external_id"` // the channel's own number
	Revision   int          `json:"revision"`    // from 1
	Currency   string       `json:"currency"`
	Start      time.Time    `json:"period_start,omitzero"`
	End        time.Time    `json:"period_end,omitzero"` // exclusive
	State      PayoutState  `json:"state"`
	PaidAt     time.Time    `json:"paid_at,omitzero"`
	Opening    money.Money  `json:"opening"`
	Closing    money.Money  `json:"closing"`
	Paid       money.Money  `json:"paid"`
	Declared   int          `json:"declared_line_count,omitempty"` // 0: the channel does not say
	Lines      int          `json:"lines"`
	Sum        money.Money  `json:"lines_sum"` // of the lines in the payout's own currency
	Digest     string       `json:"digest"`    // of the head and all lines: equal contents, equal digest
	Source     string       `json:"source"`    // hash of the file
	ImportedAt time.Time    `json:"imported_at"`
	// SupersededAt is when a later revision took its place; zero: it is the one that counts.
	SupersededAt time.Time `json:"superseded_at,omitzero"`
	BankRef      string    `json:"bank_reference,omitempty"`
}

// Gap is what opening and lines exceed closing and paid by: zero for a payout that is proven.
// Amounts of another currency or beyond int64 are an error.
func (p Payout) Gap() (money.Money, error) {
	in, err := money.Sum(p.Opening, p.Sum)
	if err != nil {
		return money.Money{}, err
	}
	out, err := money.Sum(p.Closing, p.Paid)
	if err != nil {
		return money.Money{}, err
	}
	return in.Sub(out)
}

// Complete reports that there are as many lines as the channel says; it need not say.
func (p Payout) Complete() bool { return p.Declared == 0 || p.Declared == p.Lines }

// Proven reports that the lines are complete and come to what was paid.
func (p Payout) Proven() bool {
	gap, err := p.Gap()
	return err == nil && gap.IsZero() && p.Complete()
}

// PayoutLine is one signed movement inside a payout. Positive increases what the seller is owed.
type PayoutLine struct {
	Payout     int64       `json:"payout_id"`
	No         int         `json:"line_no"` // from 1, in the order of the file
	Key        string      `json:"key"`     // stable within the payout across imports
	Category   string      `json:"category"`
	NativeType string      `json:"native_type,omitempty"`
	NativeText string      `json:"native_description,omitempty"`
	Amount     money.Money `json:"amount"`
	Order      string      `json:"order_ref,omitempty"`
	Alias      string      `json:"order_alias,omitempty"`
	Item       string      `json:"order_item_ref,omitempty"`
	Refund     string      `json:"refund_ref,omitempty"`
	Shipment   string      `json:"shipment_ref,omitempty"`
	SKU        string      `json:"sku,omitempty"`
	Quantity   int         `json:"quantity,omitempty"`
	PostedAt   time.Time   `json:"posted_at,omitzero"`
}

// SourceState is what became of a payout file.
type SourceState string

const (
	SourceKept     SourceState = "kept"     // the bytes are safe; nothing was read yet
	SourceImported SourceState = "imported" // its payout is in the books
	SourceRejected SourceState = "rejected" // it cannot be understood, or is not ours; nothing of it counts
)

// PayoutSource is a payout file as it arrived. Its bytes are kept whatever becomes of it.
type PayoutSource struct {
	Hash    string       `json:"hash"` // SHA-256 of the bytes as they arrived, hex
	Account ConnectionID `json:"account"`
	Name    string       `json:"name,omitempty"`   // of the file, for people
	Origin  string       `json:"origin"`           // pull, api, command, folder
	By      string       `json:"by,omitempty"`     // who brought it
	Format  string       `json:"format,omitempty"` // what it was recognised as
	Size    int64        `json:"size"`
	State   SourceState  `json:"state"`
	Reason  string       `json:"reason,omitempty"` // of a rejection, or which other file says the same
	KeptAt  time.Time    `json:"kept_at"`
}

// FactsKind is what facts are about.
type FactsKind string

const (
	OrderFacts    FactsKind = "order"    // the zero value means it too
	DeferralFacts FactsKind = "deferral" // money the channel holds back
)

// PayoutFacts is what the bridge knew of one order, or of money held back, at one time that a payout
// is held against. Body is written and read by package payout. Facts are only ever added.
type PayoutFacts struct {
	Account ConnectionID
	Kind    FactsKind
	Order   string    // the channel's number; of a deferral, that of the transaction
	Store   string    // the mirrored order's id; "" when there is none
	KnownAt time.Time // when this became known
	Body    []byte
}

// Tariff is one dated rule of what a channel takes. Body is written and read by package payout.
// Tariffs are only ever added; a later row with the same key stands in the place of the earlier.
type Tariff struct {
	ID      int64
	Account ConnectionID
	Key     string
	KnownAt time.Time
	Author  string
	Body    []byte
}

// ErrSourceMissing says that no file with that hash is kept.
var ErrSourceMissing = errors.New("no such payout file")

// PayoutFilter narrows a list of payouts; zero fields do not. Payouts come oldest import first.
type PayoutFilter struct {
	Accounts []ConnectionID
	IDs      []int64
	External []string
	// AsOf sees what was known then: nothing imported later, and what was superseded later as
	// if it were not. Zero: now, without superseded ones.
	AsOf time.Time
	All  bool // superseded ones too
}

// Seen is a payout as it stood at AsOf.
func (f PayoutFilter) Seen(p Payout) Payout {
	if !f.AsOf.IsZero() && p.SupersededAt.After(f.AsOf) {
		p.SupersededAt = time.Time{}
	}
	return p
}

// LineFilter names the lines of a report: those of the payouts, which may be thousands; none of no
// payout.
type LineFilter struct {
	Payouts []int64
}

// LineDifference is by which lines one list of lines is another than an earlier one.
type LineDifference struct {
	Added   int `json:"added"`
	Gone    int `json:"gone"`
	Changed int `json:"changed"` // the same key, another amount or category
}

// Payouts keeps what channels have paid and what is known of the orders behind it.
type Payouts interface {
	// KeepSource stores a file's bytes as they come and counts them. A file that is there already
	// (same account and hash) is returned as it stands, with fresh false. An error of body's, which a
	// body cut off has to have, leaves nothing behind. Hash, size and state are worked out here.
	KeepSource(ctx context.Context, s PayoutSource, body io.Reader) (kept PayoutSource, fresh bool, err error)
	// Source is a file as it stands; ErrSourceMissing.
	Source(ctx context.Context, account ConnectionID, hash string) (PayoutSource, error)
	// OpenSource reads a file's bytes; ErrSourceMissing.
	OpenSource(ctx context.Context, account ConnectionID, hash string) (io.ReadCloser, error)
	// SettleSource says what became of a file.
	SettleSource(ctx context.Context, account ConnectionID, hash string, state SourceState, format, reason string) error
	// PayoutSources lists files, the newest first; an empty account lists all. Limit 0: 50.
	PayoutSources(ctx context.Context, account ConnectionID, limit int) ([]PayoutSource, error)

	// ImportPayout writes a payout and its lines in one transaction, all or nothing. fill hands
	// over the head, whose ID, Revision, Lines, Sum, Digest and SupersededAt are worked out here,
	// and then the lines, whose Payout and No are; an error of fill's takes everything back. It was
	// imported when its last line had come, as now says then, whatever the head says. Contents equal to the newest revision's change nothing
	// and give that one with fresh false; other contents are the next revision and supersede it.
	// Lines may lack a key, but no two have the same of the channel's: ErrLineTwice. Of equal made ones
	// those after the first get their number, "/1" and on, in the order of the lines. What does not fit
	// into the sum is an error. fill may read from the store, not write to it, and is called once.
	ImportPayout(ctx context.Context, now Clock, fill func(head func(Payout) error, line func(PayoutLine) error) error) (p Payout, fresh bool, err error)
	// Difference compares the lines of two payouts, such as two revisions of one, by their keys.
	Difference(ctx context.Context, older, newer int64) (LineDifference, error)
	// PayoutList lists payouts.
	PayoutList(ctx context.Context, f PayoutFilter) ([]Payout, error)
	// PayoutLines hands over the lines of payouts, sorted by order, payout and number; an error of
	// yield's ends it and is returned. Memory does not grow with their number.
	PayoutLines(ctx context.Context, f LineFilter, yield func(PayoutLine) error) error

	// KeepFacts adds facts of orders, unless the newest kept of an order has the same body and store.
	// It returns how many were added.
	KeepFacts(ctx context.Context, facts []PayoutFacts) (int, error)
	// Facts hands over the newest facts of a kind about each order known by asOf (zero: now), sorted
	// by order.
	Facts(ctx context.Context, account ConnectionID, kind FactsKind, asOf time.Time, yield func(PayoutFacts) error) error
	// KeepTariff adds a tariff row; Tariffs lists the newest of each key known by asOf, by key.
	KeepTariff(ctx context.Context, t Tariff) (Tariff, error)
	Tariffs(ctx context.Context, account ConnectionID, asOf time.Time) ([]Tariff, error)

	// PayoutMark is a text that is another one once anything was added to payouts, facts, tariffs or
	// acts. What is being added at that very moment may show only in the next mark.
	PayoutMark(ctx context.Context) (string, error)

	// KeepAct adds an act, and the line of the audit record with it. One whose key is known already
	// is not added: the earlier one is given with fresh false, or ErrKeyReused if it says something
	// else. after is the last act of this kind and about that the actor knew of, 0 when there was
	// none; when there is a newer one nothing is added: ErrOvertaken. Below 0 it does not matter.
	KeepAct(ctx context.Context, a PayoutAct, after int64, line AuditEntry) (kept PayoutAct, fresh bool, err error)
	// Acts lists the acts about an account known by asOf (zero: now), in the order they were added.
	Acts(ctx context.Context, account ConnectionID, asOf time.Time) ([]PayoutAct, error)
}
