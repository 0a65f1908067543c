package payout

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"maps"
	"slices"
	"time"

	"channelbridge/internal/money"
)

// digest names a report: equal for equal rows, an equal summary and an equal question. Every field
// is written with its length or in a form that ends itself.
type digest struct {
	hash hash.Hash
	buf  []byte
}

func (d *digest) text(all ...string) {
	for _, s := range all {
		d.buf = append(binary.AppendUvarint(d.buf, uint64(len(s))), s...)
	}
}

func (d *digest) number(all ...int64) {
	for _, n := range all {
		d.buf = binary.AppendVarint(d.buf, n)
	}
}

func (d *digest) yes(all ...bool) {
	for _, v := range all {
		if v {
			d.buf = append(d.buf, 1)
		} else {
			d.buf = append(d.buf, 0)
		}
	}
}

func (d *digest) instant(all ...time.Time) {
	for _, t := range all {
		if d.yes(!t.IsZero()); !t.IsZero() {
			d.number(t.UnixMicro())
		}
	}
}

func (d *digest) amount(m money.Money) {
	d.text(m.Currency)
	d.number(m.Minor)
}

// any writes what there is little of.
func (d *digest) any(v any) {
	b, err := json.Marshal(v)
	if err != nil { // the rows hold nothing that cannot be written
		panic(err)
	}
	d.text(string(b))
}

// end takes a row in.
func (d *digest) end() {
	_, _ = d.hash.Write(d.buf) // a hash takes everything
	d.buf = d.buf[:0]
}

// digest names the report.
func (r *Report) digest() string {
	d := &digest{hash: sha256.New()}
	q := r.Query
	q.From, q.To, q.AsOf = q.From.UTC(), q.To.UTC(), time.Time{} // as much is known whether one asks then or afterwards
	d.text("report/2")
	d.any(q)
	d.number(int64(len(r.Summary)), int64(len(r.Payouts)), int64(len(r.Orders)), int64(len(r.Lines)))
	for _, s := range r.Summary {
		d.any(s.JSON())
	}
	d.end()
	for _, p := range r.Payouts {
		d.payout(p)
	}
	for _, o := range r.Orders {
		d.order(o)
	}
	for _, l := range r.Lines {
		d.line(l)
	}
	return "rs_" + hex.EncodeToString(d.hash.Sum(nil)[:16])
}

func (d *digest) payout(p PayoutRow) {
	d.text(string(p.Account.ID), p.Account.Zone, p.External, p.Digest, string(p.State), p.Seen.Day, p.Seen.BankRef, string(p.Seen.Outcome))
	d.number(int64(p.Revision), int64(p.Unmatched), int64(p.Findings), p.Open, p.Seen.Amount, int64(len(p.Seen.Deposits)))
	d.text(p.Seen.Deposits...)
	d.yes(p.Proven())
	d.end()
}

func (d *digest) order(o OrderRow) {
	f := o.Facts
	d.text(string(o.Account.ID), o.Account.Zone, o.Ref, o.Currency, f.Store, f.Name, string(o.Outcome), o.Prior)
	d.yes(o.InStore)
	d.instant(f.PlacedAt, f.ShippedAt, f.Delivered, o.DueAt, o.First, o.Last)
	d.number(o.Expected, o.Actual, o.Difference, o.Selected, int64(o.Age), int64(len(o.ByKind)), int64(len(o.Causes)), int64(len(o.Shares)))
	for _, c := range slices.Sorted(maps.Keys(o.ByKind)) {
		p := o.ByKind[c]
		d.text(string(c), p.Tariff)
		d.number(p.Expected, p.Actual)
		d.yes(p.Known)
	}
	for _, c := range o.Causes {
		d.text(string(c.Code), string(c.Category), c.Tariff)
		d.number(c.Amount, c.Expected, c.Actual)
		d.yes(c.Told)
	}
	for i, s := range o.Shares {
		d.text(o.Payouts[i])
		d.number(int64(o.books.Of(s.Payout).Revision), s.Amount)
	}
	d.number(int64(len(o.Lines)))
	for _, v := range o.Lines { // causes name them
		d.text(v.Line.Key, v.Line.Category)
	}
	if d.yes(o.Held != nil); o.Held != nil {
		d.amount(o.Held.Amount)
		d.instant(o.Held.Until)
		d.text(o.Held.Reason)
	}
	d.finding(o.Finding)
	d.end()
}

func (d *digest) finding(f *Finding) {
	if d.yes(f != nil); f == nil {
		return
	}
	d.text(f.ID, string(f.State), f.Progress.Assignee, f.Progress.note())
	if c := f.ClaimJSON(); c != nil {
		d.any(c)
	}
}

func (d *digest) line(l LineRow) {
	v := l.Line
	d.text(string(l.Account.ID), l.Account.Zone, l.Payout.External, v.Key, v.Category, v.NativeType, v.NativeText, v.Order, v.Alias, v.Item, v.Refund, v.Shipment, v.SKU,
		string(l.Outcome), l.Rule, l.Confidence, l.Candidate, l.Ref, l.Store)
	d.amount(v.Amount)
	d.number(int64(l.Payout.Revision), int64(v.No), int64(v.Quantity), l.Expected, l.Difference)
	d.instant(v.PostedAt)
	d.end()
}
