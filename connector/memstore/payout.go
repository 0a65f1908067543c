package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"channelbridge/connector"
)

// payoutBooks is what is kept of payouts.
type payoutBooks struct {
	sources []*keptSource
	payouts []connector.Payout
	lines   map[int64][]connector.PayoutLine
	facts   map[factsKey][]connector.PayoutFacts // in the order they came
	tariffs []connector.Tariff
	acts    []connector.PayoutAct
}

// ImportPayout gathers a payout and adds it to the books; see connector.Payouts.
func (s *Store) ImportPayout(ctx context.Context, now connector.Clock,
	fill func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error) (connector.Payout, bool, error) {
	in := payoutImport{}
	err := fill(
		func(p connector.Payout) error { return in.remember(in.head(p)) },
		func(l connector.PayoutLine) error { return in.remember(in.line(ctx, l)) })
	if err == nil {
		err = in.err
	}
	var p connector.Payout
	if err == nil {
		p, err = in.tally.End()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return connector.Payout{}, false, fmt.Errorf("import a payout: %w", err)
	}
	p.ImportedAt = now().UTC().Truncate(time.Microsecond)
	p, fresh := s.bookPayout(p, in.lines)
	return p, fresh, nil
}

// payoutImport is one payout on its way in.
type payoutImport struct {
	tally connector.PayoutTally
	lines []connector.PayoutLine
	keys  map[string]int
	err   error // the first of head's and line's own
}

func (in *payoutImport) remember(err error) error {
	if in.err == nil {
		in.err = err
	}
	return in.err
}

func (in *payoutImport) head(p connector.Payout) error {
	in.keys = map[string]int{}
	_, err := in.tally.Head(p)
	return err
}

func (in *payoutImport) line(ctx context.Context, l connector.PayoutLine) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l, err := in.tally.Line(l)
	if err != nil {
		return err
	}
	n := in.keys[l.Key]
	in.keys[l.Key]++
	switch {
	case n == 0 || l.Key == "":
	case !l.HasMadeKey():
		return fmt.Errorf("line %d: %w", l.No, connector.ErrLineTwice)
	default:
		l.Key += "/" + strconv.Itoa(n)
	}
	in.lines = append(in.lines, l)
	return nil
}

// bookPayout adds the next revision, unless the newest says the same.
func (s *Store) bookPayout(p connector.Payout, lines []connector.PayoutLine) (connector.Payout, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.Revision = 1
	for i := len(s.books.payouts) - 1; i >= 0; i-- {
		last := &s.books.payouts[i]
		if last.Account != p.Account || last.External != p.External {
			continue
		}
		if last.Digest == p.Digest {
			return *last, false
		}
		p.Revision, last.SupersededAt = last.Revision+1, p.ImportedAt
		break
	}
	p.ID = int64(len(s.books.payouts) + 1)
	for i := range lines {
		lines[i].Payout = p.ID
	}
	if s.books.lines == nil {
		s.books.lines = map[int64][]connector.PayoutLine{}
	}
	s.books.payouts, s.books.lines[p.ID] = append(s.books.payouts, p), lines
	return p, true
}

// Difference compares two lists of lines by their keys; see connector.Payouts.
func (s *Store) Difference(_ context.Context, older, newer int64) (d connector.LineDifference, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := map[string]connector.PayoutLine{}
	for _, l := range s.books.lines[older] {
		if l.Key != "" {
			was[l.Key] = l
		}
	}
	d.Gone = len(was)
	for _, l := range s.books.lines[newer] {
		old, there := was[l.Key]
		switch {
		case l.Key == "":
		case !there:
			d.Added++
		default:
			if d.Gone--; old.Amount != l.Amount || old.Category != l.Category {
				d.Changed++
			}
		}
	}
	return d, nil
}

// PayoutList lists payouts; see connector.Payouts.
func (s *Store) PayoutList(_ context.Context, f connector.PayoutFilter) ([]connector.Payout, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []connector.Payout{}
	for _, p := range s.books.payouts {
		if p = f.Seen(p); listed(f, p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b connector.Payout) int {
		return cmp.Or(a.ImportedAt.Compare(b.ImportedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// listed reports whether a filter lets a payout through, as it stood at the filter's instant.
func listed(f connector.PayoutFilter, p connector.Payout) bool {
	switch {
	case len(f.Accounts) > 0 && !slices.Contains(f.Accounts, p.Account),
		len(f.IDs) > 0 && !slices.Contains(f.IDs, p.ID),
		len(f.External) > 0 && !slices.Contains(f.External, p.External),
		!f.AsOf.IsZero() && p.ImportedAt.After(f.AsOf):
		return false
	}
	return f.All || p.SupersededAt.IsZero()
}

// PayoutLines hands over lines; see connector.Payouts.
func (s *Store) PayoutLines(_ context.Context, f connector.LineFilter, yield func(connector.PayoutLine) error) error {
	for _, l := range s.sortedLines(f) {
		if err := yield(l); err != nil {
			return fmt.Errorf("lines of payouts: %w", err)
		}
	}
	return nil
}

func (s *Store) sortedLines(f connector.LineFilter) []connector.PayoutLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := slices.Clone(f.Payouts)
	slices.Sort(ids)
	var out []connector.PayoutLine
	for _, id := range slices.Compact(ids) {
		out = append(out, s.books.lines[id]...)
	}
	slices.SortFunc(out, func(a, b connector.PayoutLine) int {
		return cmp.Or(strings.Compare(a.Order, b.Order), cmp.Compare(a.Payout, b.Payout), cmp.Compare(a.No, b.No))
	})
	return out
}
