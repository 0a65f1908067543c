package payout

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"channelbridge/connector"
	"channelbridge/connector/memstore"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// picture is all that a report shows.
type picture struct{ snapshot, files string }

func (w *world) picture(store connector.Payouts, q Query, now time.Time) picture {
	r, err := Make(context.Background(), Keep{Payouts: store}, []Account{w.account}, q, now)
	require.NoError(w.T, err)
	var b bytes.Buffer
	for _, t := range []string{"order", "unsettled", "line", "payout", "summary"} {
		require.NoError(w.T, whole(w.T, r, t).WriteCSV(&b, CSVOptions{}))
	}
	for _, o := range all(w.T, r.Orders) {
		require.NoError(w.T, json.NewEncoder(&b).Encode(o.JSON()))
	}
	return picture{r.Snapshot, b.String()}
}

func drawn(rt *rapid.T) *world {
	w := newWorld(rt)
	w.inject()
	w.fill()
	return w
}

// writes are all that a world tells a store, in no particular order.
func (w *world) writes(store connector.Payouts) []func() {
	var out []func()
	for _, t := range w.tariffs {
		out = append(out, func() { w.rule(store, t, start) })
	}
	for _, s := range w.sales {
		out = append(out, func() { w.know(store, s, start) })
	}
	for _, b := range w.batches {
		out = append(out, func() { w.write(store, b, false, start) })
	}
	return out
}

// B17.3: neither the order in which things come nor how many bring them changes the report.
func TestShuffledImportsGiveTheSameSnapshot(t *testing.T) {
	checks(t, "200")
	rapid.Check(t, func(rt *rapid.T) {
		w := drawn(rt)
		first, other := memstore.New(), memstore.New()
		for _, do := range w.writes(first) {
			do()
		}
		jobs := make(chan func())
		var wait sync.WaitGroup
		for range rapid.IntRange(1, 4).Draw(rt, "workers") {
			wait.Go(func() {
				for do := range jobs {
					do()
				}
			})
		}
		for _, do := range rapid.Permutation(w.writes(other)).Draw(rt, "order") {
			jobs <- do
		}
		close(jobs)
		wait.Wait()
		require.Equal(rt, w.picture(first, Query{}, w.now), w.picture(other, Query{}, w.now))
	})
}

// B17.5: what was reported once is reported again when one asks what was known then, however much
// has come since.
func TestAsOfReproducesEveryPastReport(t *testing.T) {
	checks(t, "40")
	rapid.Check(t, func(rt *rapid.T) {
		w := drawn(rt)
		store := memstore.New()
		at := start.Add(25 * 24 * time.Hour)
		past := map[time.Time]picture{}
		for _, do := range w.history(store) {
			at = at.Add(time.Duration(rapid.IntRange(1, 100_000).Draw(rt, "seconds later")) * time.Second)
			do(at)
			past[at] = w.picture(store, Query{}, at)
		}
		for then, want := range past {
			require.Equal(rt, want, w.picture(store, Query{AsOf: then}, at.Add(time.Hour)))
		}
	})
}

// history tells a world step by step: payouts are issued again, facts and tariffs change.
func (w *world) history(store connector.Payouts) []func(time.Time) {
	var out []func(time.Time)
	for _, t := range w.tariffs {
		out = append(out, func(at time.Time) { w.rule(store, t, at) })
		if w.chance(30, "tariff replaced") {
			t.RateBP++
			out = append(out, func(at time.Time) { w.rule(store, t, at) })
		}
	}
	for _, s := range w.sales {
		out = append(out, func(at time.Time) { w.know(store, s, at) })
		if s.facts != nil && w.chance(30, "order changes") {
			changed := *s.facts
			changed.Delivered, changed.Refunds = start.Add(4*24*time.Hour), append([]Refund{{Ref: "late", At: start, Amount: 7}}, changed.Refunds...)
			out = append(out, func(at time.Time) { w.know(store, &sale{id: s.id, facts: &changed}, at) })
		}
	}
	for _, b := range w.batches {
		if b.again {
			out = append(out, func(at time.Time) { w.write(store, b, true, at) })
		}
		out = append(out, func(at time.Time) { w.write(store, b, false, at) })
	}
	return rapid.Permutation(out).Draw(w.T, "history")
}

// jsonForm reads a payout as a list of JSON values: its head, then its lines.
type jsonForm struct{}

func (jsonForm) Name() string             { return "json" }
func (jsonForm) Detects(head []byte) bool { return bytes.HasPrefix(head, []byte("{")) }

func (jsonForm) ReadStatement(r io.Reader, head func(marketplace.Statement) error, line func(marketplace.Movement) error) error {
	d := json.NewDecoder(r)
	var s marketplace.Statement
	if err := d.Decode(&s); err != nil {
		return err
	}
	if err := head(s); err != nil {
		return err
	}
	for d.More() {
		var m marketplace.Movement
		if err := d.Decode(&m); err != nil {
			return err
		}
		if err := line(m); err != nil {
			return err
		}
	}
	return nil
}

// document is a payout as a file of that form.
func (w *world) document(b *batch) []byte {
	p := w.head(b)
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	require.NoError(w.T, enc.Encode(marketplace.Statement{ID: p.External, Currency: p.Currency, State: marketplace.StatementPaid, PaidAt: p.PaidAt, Opening: p.Opening, Closing: p.Closing, Paid: p.Paid, Lines: p.Declared}))
	for _, l := range b.file(false) {
		require.NoError(w.T, enc.Encode(marketplace.Movement{Category: marketplace.Category(l.Category), NativeType: l.NativeType, Amount: l.Amount, Order: marketplace.OrderID(l.Order), Alias: l.Alias,
			Item: l.Item, SKU: l.SKU, PostedAt: l.PostedAt}))
	}
	return out.Bytes()
}

func importerOf(store connector.Payouts) *Importer {
	return &Importer{Store: store, Clock: func() time.Time { return start.Add(30 * 24 * time.Hour) },
		Formats: func(connector.ConnectionID) []marketplace.StatementFormat {
			return []marketplace.StatementFormat{jsonForm{}}
		}}
}

// sent counts the files that are sent to a store.
type sent struct {
	connector.Payouts
	files int
}

func (s *sent) KeepSource(ctx context.Context, src connector.PayoutSource, body io.Reader) (connector.PayoutSource, bool, error) {
	s.files++
	return s.Payouts.KeepSource(ctx, src, body)
}

// A file that can be read twice is not sent again once it is in the books; one that can be read only
// once is, and changes nothing either.
func TestAKnownFileIsNotSentAgain(t *testing.T) {
	checks(t, "20")
	rapid.Check(t, func(rt *rapid.T) {
		w := drawn(rt)
		s := &sent{Payouts: memstore.New()}
		body := w.document(w.batches[0])
		for i, from := range []io.Reader{bytes.NewReader(body), bytes.NewReader(body), bytes.NewBuffer(body), bytes.NewReader(body)} {
			out, err := importerOf(s).Import(context.Background(), File{Account: w.account.ID, Name: "a", Body: from})
			require.NoError(rt, err)
			require.Equal(rt, i == 0, out.Fresh)
			require.Equal(rt, 1, out.Payout.Revision)
			require.Equal(rt, connector.SourceImported, out.Source.State)
			require.Equal(rt, []int{1, 1, 2, 2}[i], s.files)
		}
	})
}

// A payout that is issued anew is told with the lines by which it is another.
func TestAPayoutIssuedAnewIsToldWithItsDifference(t *testing.T) {
	checks(t, "100")
	rapid.Check(t, func(rt *rapid.T) {
		w := drawn(rt)
		b := w.batches[0]
		body, of := w.document(b), importerOf(memstore.New())
		first, err := of.Import(context.Background(), File{Account: w.account.ID, Body: bytes.NewBuffer(body)})
		require.NoError(rt, err)
		require.Nil(rt, first.Against)
		lines := bytes.SplitAfter(body, []byte("\n"))
		cut := bytes.Join(append(slices.Clone(lines[:len(lines)-2]), lines[len(lines)-1]), nil) // without the last line
		if first.Payout.Lines < 2 {
			return
		}
		again, err := of.Import(context.Background(), File{Account: w.account.ID, Body: bytes.NewBuffer(cut)})
		require.NoError(rt, err)
		require.Equal(rt, 2, again.Payout.Revision)
		require.Equal(rt, connector.LineDifference{Gone: 1}, again.Against.LineDifference)
		require.Equal(rt, money.New(again.Payout.Sum.Minor-first.Payout.Sum.Minor, again.Payout.Currency).Decimal(), again.Against.Sum)
	})
}

// B17.4: importing each file one to five times, in any order, is importing it once.
func TestImportingAFileAgainChangesNothing(t *testing.T) {
	checks(t, "150")
	rapid.Check(t, func(rt *rapid.T) {
		w := drawn(rt)
		once, often := memstore.New(), memstore.New()
		var files [][]byte
		for _, b := range w.batches {
			body := w.document(b)
			_, err := importerOf(once).Import(context.Background(), File{Account: w.account.ID, Name: b.external, Body: bytes.NewReader(body)})
			require.NoError(rt, err)
			for range rapid.IntRange(1, 5).Draw(rt, "times") {
				files = append(files, body)
			}
		}
		fresh := 0
		for _, body := range rapid.Permutation(files).Draw(rt, "files") {
			in, err := importerOf(often).Import(context.Background(), File{Account: w.account.ID, Body: bytes.NewReader(body)})
			require.NoError(rt, err)
			require.Equal(rt, 1, in.Payout.Revision)
			if in.Fresh {
				fresh++
			}
		}
		require.Equal(rt, len(w.batches), fresh)
		for _, s := range w.sales {
			w.know(once, s, start)
			w.know(often, s, start)
			w.know(often, s, start.Add(time.Hour))
		}
		require.Equal(rt, w.picture(once, Query{}, w.now), w.picture(often, Query{}, w.now))
	})
}

// A file that says what another has said is imported, and known when it comes again.
func TestAFileThatSaysTheSameAsAnotherIsKnownAgain(t *testing.T) {
	store := memstore.New()
	i := importerOf(store)
	head := marketplace.Statement{ID: "ST-1", Currency: "VND", State: marketplace.StatementPaid, Opening: money.New(0, "VND"), Closing: money.New(0, "VND"), Paid: money.New(0, "VND")}
	body, err := json.Marshal(head)
	require.NoError(t, err)
	for _, end := range []string{"", " ", " "} {
		in, err := i.Import(context.Background(), File{Account: "acct", Body: bytes.NewReader(append(bytes.Clone(body), end...))})
		require.NoError(t, err)
		require.Equal(t, "ST-1", in.Payout.External)
	}
}

// A payout's number stands in journals and addresses: whatever form it comes in, it is a line of text.
func TestAPayoutWhoseNumberIsNoLineOfTextIsRejected(t *testing.T) {
	for _, number := range []string{"ST-1\n2026-11-12 * (X) y", "ST\t1", "ST\u20281", "ST\u0085"} {
		store := memstore.New()
		head := marketplace.Statement{ID: number, Currency: "VND", State: marketplace.StatementPaid, Opening: money.New(0, "VND"), Closing: money.New(0, "VND"), Paid: money.New(0, "VND")}
		body, err := json.Marshal(head)
		require.NoError(t, err)
		_, err = importerOf(store).Import(t.Context(), File{Account: "acct", Body: bytes.NewReader(body)})
		require.ErrorAs(t, err, new(*RejectedError), "%q", number)
		require.NotContains(t, err.Error(), "ST", "what is wrong with it is not shown as it is")
		list, err := store.PayoutList(t.Context(), connector.PayoutFilter{All: true})
		require.NoError(t, err)
		require.Empty(t, list)
	}
}

// B17.6: a tariff that begins at an instant changes the orders from then on, and no others.
func TestATariffChangesOnlyLaterOrders(t *testing.T) {
	checks(t, "200")
	rapid.Check(t, func(rt *rapid.T) {
		w := drawn(rt)
		store := memstore.New()
		w.load(store)
		before, err := Make(context.Background(), Keep{Payouts: store}, []Account{w.account}, Query{}, w.now)
		require.NoError(rt, err)
		from := start.Add(time.Duration(rapid.IntRange(0, 48).Draw(rt, "from")) * time.Hour)
		dear := Tariff{Key: "new", Category: marketplace.Commission, RateBP: 9999, Currency: w.currency, Shipper: marketplace.ByMerchant, From: from} // the narrowest
		w.rule(store, dear, start)
		after, err := Make(context.Background(), Keep{Payouts: store}, []Account{w.account}, Query{}, w.now)
		require.NoError(rt, err)
		was := map[[2]string]OrderRow{}
		for _, o := range all(w.T, before.Orders) {
			was[[2]string{o.Ref, o.Currency}] = o
		}
		for _, o := range all(w.T, after.Orders) {
			old, ok := was[[2]string{o.Ref, o.Currency}]
			if o.InStore && o.Currency == w.currency && !o.Facts.PlacedAt.Before(from) {
				require.Equal(rt, "new", o.ByKind[marketplace.Commission].Tariff)
				continue
			}
			require.True(rt, ok)
			require.Equal(rt, old.JSON(), o.JSON())
		}
	})
}
