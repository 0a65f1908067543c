package connector

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"
	"time"

	"channelbridge/internal/money"
)

// MadeKey is the key of a line that the channel has no number for, made of what the line says. Equal
// lines have the same; the store numbers those of a payout after the first.
func MadeKey(sum string) string { return "=" + sum }

// ChannelKey is the key of a line that has the channel's own number, which no made one is like.
func ChannelKey(number string) string {
	if strings.HasPrefix(number, "=") {
		return "=" + number
	}
	return number
}

// HasMadeKey reports that a line's key is a made one.
func (l PayoutLine) HasMadeKey() bool {
	return strings.HasPrefix(l.Key, "=") && !strings.HasPrefix(l.Key, "==")
}

// ErrLineTwice says that two lines of a payout have the same key.
var ErrLineTwice = errors.New("two lines of one payout have the same key")

// PayoutTally is what a store works out of a payout on its way in: it numbers and counts the lines,
// adds them up and digests head and lines. All stores use it, so equal contents have the same
// digest in each. The zero value is ready; Head comes once and before all lines.
type PayoutTally struct {
	head  Payout
	begun bool
	hash  hash.Hash
	buf   []byte
}

// Head takes the head and gives it back as it is to be kept: what the store works out is empty,
// instants have whole microseconds.
func (t *PayoutTally) Head(p Payout) (Payout, error) {
	if t.begun {
		return Payout{}, errors.New("a payout has one head")
	}
	p.ID, p.Revision, p.Lines, p.Digest, p.SupersededAt = 0, 0, 0, "", time.Time{}
	p.Start, p.End, p.PaidAt = micro(p.Start), micro(p.End), micro(p.PaidAt)
	p.Sum = money.New(0, p.Currency)
	if err := p.sound(); err != nil {
		return Payout{}, err
	}
	t.head, t.begun, t.hash = p, true, sha256.New()
	t.digestHead(p)
	return p, nil
}

// sound refuses a head that names no payout or has amounts of another currency.
func (p Payout) sound() error {
	switch {
	case p.Account == "" || p.External == "":
		return errors.New("a payout needs an account and the channel's number")
	case !money.ValidCode(p.Currency):
		return fmt.Errorf("payout %s: currency %q: %w", p.External, p.Currency, money.ErrCurrency)
	case p.Declared < 0:
		return fmt.Errorf("payout %s: %d declared lines", p.External, p.Declared)
	}
	switch p.State {
	case PayoutOpen, PayoutClosed, PayoutPaid, PayoutFailed, PayoutReturned:
	default:
		return fmt.Errorf("payout %s: unknown state %q", p.External, p.State)
	}
	for _, m := range []money.Money{p.Opening, p.Closing, p.Paid} {
		if _, err := p.Sum.Add(m); err != nil {
			return fmt.Errorf("payout %s: %w", p.External, err)
		}
	}
	return nil
}

// Line takes the next line and gives it back with its number.
func (t *PayoutTally) Line(l PayoutLine) (PayoutLine, error) {
	if !t.begun {
		return PayoutLine{}, errors.New("a payout's lines come after its head")
	}
	l.Payout, l.No, l.PostedAt = 0, t.head.Lines+1, micro(l.PostedAt)
	if !money.ValidCode(l.Amount.Currency) {
		return PayoutLine{}, fmt.Errorf("line %d: currency %q: %w", l.No, l.Amount.Currency, money.ErrCurrency)
	}
	if l.Amount.Currency == t.head.Currency {
		sum, err := t.head.Sum.Add(l.Amount)
		if err != nil {
			return PayoutLine{}, fmt.Errorf("line %d: %w", l.No, err)
		}
		t.head.Sum = sum
	}
	t.head.Lines = l.No
	t.digestLine(l)
	return l, nil
}

// End gives the head with Lines, Sum and Digest.
func (t *PayoutTally) End() (Payout, error) {
	if !t.begun {
		return Payout{}, errors.New("a payout needs a head")
	}
	t.head.Digest = hex.EncodeToString(t.hash.Sum(nil))
	return t.head, nil
}

// digestHead hashes what the channel says of the payout: not whose it is, nor when and from which
// file it was read. The form has a number, should it ever change.
func (t *PayoutTally) digestHead(p Payout) {
	t.text("payout/1")
	t.text(p.Currency)
	t.instant(p.Start)
	t.instant(p.End)
	t.text(string(p.State))
	t.instant(p.PaidAt)
	t.amount(p.Opening)
	t.amount(p.Closing)
	t.amount(p.Paid)
	t.number(int64(p.Declared))
	t.text(p.BankRef)
	t.flush()
}

func (t *PayoutTally) digestLine(l PayoutLine) {
	t.text(l.Key)
	t.text(l.Category)
	t.text(l.NativeType)
	t.text(l.NativeText)
	t.amount(l.Amount)
	t.text(l.Order)
	t.text(l.Alias)
	t.text(l.Item)
	t.text(l.Refund)
	t.text(l.Shipment)
	t.text(l.SKU)
	t.number(int64(l.Quantity))
	t.instant(l.PostedAt)
	t.flush()
}

// Every field is written with its length or in a form that ends itself, so that no two contents
// run into the same bytes.

func (t *PayoutTally) text(s string) {
	t.buf = append(binary.AppendUvarint(t.buf, uint64(len(s))), s...)
}

func (t *PayoutTally) number(n int64) { t.buf = binary.AppendVarint(t.buf, n) }

func (t *PayoutTally) amount(m money.Money) {
	t.text(m.Currency)
	t.number(m.Minor)
}

func (t *PayoutTally) instant(at time.Time) {
	if at.IsZero() {
		t.buf = append(t.buf, 0)
		return
	}
	t.buf = append(t.buf, 1)
	t.number(at.UnixMicro())
}

func (t *PayoutTally) flush() {
	_, _ = t.hash.Write(t.buf) // a hash takes everything
	t.buf = t.buf[:0]
}

// micro is an instant as every store can keep it.
func micro(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
