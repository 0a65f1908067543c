package payout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"channelbridge/connector"
	"channelbridge/internal/spool"
)

// walk goes through the orders and lines of an account, both sorted by order, and judges one order
// after the other. In memory are the lines of one order, those that belong to none, and those that
// come to their order by another way than its number.
type walk struct {
	*Books
	base  Case
	each  func(Order) error
	facts *knownOrders
	spool *spool.Spool // of the facts
	held  map[string]Held
	alias map[string]string  // another number of an order → its number
	hands map[lineKey]string // lines that people gave to an order
	// shared are other numbers that several orders have, with these: nobody can say whose line it is.
	shared map[string][]string
	called map[string][]string // the same of the store's names

	moved   map[string][]Line // by order: lines that name it by another number, or were given to it
	waiting map[string][]Line // by another number: lines without an order, whose order that may be
	loose   []Line
	seeking seeking
	open    map[wanting][]wanted

	begun    bool   // an order with a number was reached
	name     string // of the order whose lines are gathered
	gathered []Line
	dests    []string // the orders of moved that are still to come
	words    map[string]string
	before   struct{ order, item string }
}

// walk reads what is held against the lines, but not the lines.
func (b *Books) walk(ctx context.Context, each func(Order) error) (*walk, error) {
	w := &walk{Books: b, each: each, words: map[string]string{}, alias: map[string]string{}, shared: map[string][]string{}, called: map[string][]string{}, hands: b.People.byHand(), moved: map[string][]Line{},
		waiting: map[string][]Line{}, open: map[wanting][]wanted{}, base: Case{Terms: b.Account.Terms, Tol: b.Account.Tol, Now: b.Now}}
	kept, err := b.keep.Payouts.Tariffs(ctx, b.Account.ID, b.AsOf)
	if err != nil {
		return nil, fmt.Errorf("reading tariffs: %w", err)
	}
	for _, k := range kept {
		t, err := DecodeTariff(k.Body)
		if err != nil {
			return nil, err
		}
		w.base.Tariffs = append(w.base.Tariffs, t)
	}
	if w.spool, err = w.known(ctx); err != nil {
		return nil, fmt.Errorf("reading what is known of orders: %w", err)
	}
	w.facts = newKnown(w.spool)
	w.held, err = b.held(ctx, b.keep.Payouts)
	return w, err
}

// lines goes through the lines of all payouts and judges.
func (w *walk) lines(ctx context.Context) error {
	defer func() { _ = w.spool.Close() }()
	ids := make([]int64, 0, len(w.Payouts))
	for _, p := range w.Payouts {
		ids = append(ids, p.ID)
	}
	read := func(take func(connector.PayoutLine) error) error {
		if len(ids) == 0 {
			return nil
		}
		if err := w.keep.Payouts.PayoutLines(ctx, connector.LineFilter{Payouts: ids}, take); err != nil {
			return fmt.Errorf("reading the lines of payouts: %w", err)
		}
		return nil
	}
	if len(w.alias) > 0 || len(w.hands) > 0 {
		ahead := newKnown(w.spool)
		if err := read(func(l connector.PayoutLine) error { return w.move(ahead, l) }); err != nil {
			return err
		}
	}
	w.dests = slices.Sorted(maps.Keys(w.moved))
	if err := alongside(read, w.line); err != nil {
		return err
	}
	return w.end()
}

// move keeps a line for the order it comes to by another way than its number.
func (w *walk) move(ahead *knownOrders, l connector.PayoutLine) error {
	to, hand := w.hand(l)
	if !hand {
		known, err := ahead.reach(l.Order)
		if err != nil {
			return err
		}
		var other bool
		if to, other = w.byAlias(l, known); !other {
			return nil
		}
	}
	w.sharing(&l)
	x := w.placed(l)
	x.ByHand, x.ByAlias = hand, !hand
	w.moved[to] = append(w.moved[to], x)
	return nil
}

// byAlias is the order that a line names by another of its numbers; false: the line names its order,
// or none.
func (w *walk) byAlias(l connector.PayoutLine, known bool) (string, bool) {
	if known || kind(l.Category).alone {
		return "", false
	}
	for _, name := range []string{l.Order, l.Alias} {
		if to, ok := w.alias[name]; ok && name != "" {
			return to, true
		}
	}
	return "", false
}

// owners are the orders that have the other number a line names; none: it names its order, or a number
// of one order at most.
func (w *walk) owners(l connector.PayoutLine) []string {
	if all := w.called[l.Alias]; l.Order == "" && all != nil {
		return all
	}
	for _, name := range []string{l.Order, l.Alias} {
		if all := w.shared[name]; all != nil && name != "" {
			return all
		}
	}
	return nil
}

func (w *walk) placed(l connector.PayoutLine) Line {
	rank := w.places[l.Payout]
	return Line{PayoutLine: l, Rank: rank, PaidAt: settledAt(w.Payouts[rank].Payout)}
}

// line takes the next line. Lines come sorted by order, those without one first.
func (w *walk) line(l connector.PayoutLine) error {
	w.Of(l.Payout).Bridge.Lines++
	if _, given := w.hand(l); given {
		return nil
	}
	w.sharing(&l)
	switch {
	case kind(l.Category).alone:
		w.loose = append(w.loose, w.placed(l))
		return nil
	case l.Order == "":
		if _, moved := w.byAlias(l, false); moved {
			return nil
		}
		if l.Alias == "" {
			w.loose = append(w.loose, w.placed(l))
		} else {
			w.waiting[l.Alias] = append(w.waiting[l.Alias], w.placed(l))
		}
		return nil
	}
	if l.Order != w.name {
		if err := w.reach(l.Order, false); err != nil {
			return err
		}
	}
	known := w.facts.is(l.Order)
	if _, moved := w.byAlias(l, known); moved {
		return nil
	}
	if !known && w.owners(l) != nil {
		w.loose = append(w.loose, w.placed(l))
	} else {
		w.gathered = append(w.gathered, w.placed(l))
	}
	return nil
}

// reach judges what was gathered, and every order before a name; with all every one that is left.
func (w *walk) reach(name string, all bool) error {
	if !w.begun {
		if err := w.settle(); err != nil {
			return err
		}
		w.begun, w.seeking = true, w.seek()
		if err := w.facts.first(); err != nil {
			return err
		}
	} else if err := w.leave(w.name); err != nil {
		return err
	}
	for {
		next, there := w.facts.name, !w.facts.over
		if len(w.dests) > 0 && (!there || w.dests[0] < next) {
			next, there = w.dests[0], true
		}
		if !there || !all && next >= name {
			break
		}
		if err := w.leave(next); err != nil {
			return err
		}
	}
	w.name = name
	return nil
}

// settle finds the orders of the lines that name theirs by another number only: the order with that
// number, else the one that the store calls so. A name of several is nobody's. All such lines come
// before the first order.
func (w *walk) settle() error {
	if len(w.waiting) == 0 {
		return nil
	}
	owners := map[string][]string{}
	for k := newKnown(w.spool); ; {
		if err := k.next(); err != nil {
			return err
		}
		if k.over {
			break
		}
		if w.waiting[k.name] != nil {
			w.owned(k.name, k.name)
		}
		f, err := DecodeFacts(k.body)
		if err != nil {
			return fmt.Errorf("order %s: %w", k.name, err)
		}
		if w.waiting[f.Name] != nil {
			owners[f.Name] = append(owners[f.Name], k.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.waiting)) {
		switch all := owners[name]; len(all) {
		case 0:
			w.loose = append(w.loose, w.waiting[name]...)
		case 1:
			w.owned(name, all[0])
		default:
			w.called[name] = all
			w.loose = append(w.loose, w.waiting[name]...)
		}
	}
	w.waiting = nil
	w.dests = slices.Sorted(maps.Keys(w.moved))
	return nil
}

// owned moves the lines that wait for a name to an order.
func (w *walk) owned(name, order string) {
	for _, x := range w.waiting[name] {
		x.ByAlias = true
		w.moved[order] = append(w.moved[order], x)
	}
	delete(w.waiting, name)
}

// leave judges an order with all the lines it has.
func (w *walk) leave(name string) error {
	var f *Facts
	lines := append(w.gathered, w.moved[name]...)
	defer func() { w.gathered = lines[:0] }()
	delete(w.moved, name)
	if len(w.dests) > 0 && w.dests[0] == name {
		w.dests = w.dests[1:]
	}
	if w.facts.is(name) {
		known, err := DecodeFacts(w.facts.body)
		if err != nil {
			return fmt.Errorf("order %s: %w", name, err)
		}
		f = &known
		if err := w.facts.next(); err != nil {
			return err
		}
	}
	if f == nil && len(lines) == 0 {
		return nil
	}
	return w.judge(name, f, lines)
}

// end judges the orders that are left.
func (w *walk) end() error {
	if err := w.reach("", true); err != nil {
		return err
	}
	return nil
}

func (w *walk) judge(id string, f *Facts, lines []Line) error {
	c := w.base
	c.Order, c.Facts, c.Lines = id, f, lines
	if h, there := w.held[id]; there {
		c.Held = &h
	}
	orders, err := Judge(c)
	if err != nil {
		return err
	}
	slices.SortFunc(orders, func(x, y Order) int { return cmp.Compare(x.Currency, y.Currency) })
	for _, o := range orders {
		w.want(o)
		if err := w.each(o); err != nil {
			return err
		}
	}
	return nil
}

// mostWords bounds how many words lines are let share.
const mostWords = 10_000

// sharing lets lines that say the same share the memory of their words. Lines of one order come one
// after the other.
func (w *walk) sharing(l *connector.PayoutLine) {
	for _, text := range []*string{&l.Category, &l.NativeType, &l.NativeText, &l.Amount.Currency, &l.SKU} {
		if known, ok := w.words[*text]; ok {
			*text = known
		} else if len(w.words) < mostWords {
			w.words[*text] = *text
		}
	}
	if l.Order == w.before.order {
		l.Order = w.before.order
	}
	if l.Item == w.before.item {
		l.Item = w.before.item
	}
	w.before.order, w.before.item = l.Order, l.Item
}

// known writes what is known of orders down, sorted by order, and takes note of their other numbers.
// A line that was given to an order nothing is known of stays where it is.
func (w *walk) known(ctx context.Context) (*spool.Spool, error) {
	s, given := spool.New(w.keep.Scratch), map[string]bool{}
	for _, to := range w.hands {
		given[to] = false
	}
	var one record
	err := w.keep.Payouts.Facts(ctx, w.Account.ID, connector.OrderFacts, w.AsOf, func(k connector.PayoutFacts) error {
		others, err := aliasesIn(k.Body)
		if err != nil {
			return fmt.Errorf("order %s: %w", k.Order, err)
		}
		for _, a := range others {
			w.also(a, k.Order)
		}
		if _, asked := given[k.Order]; asked {
			given[k.Order] = true
		}
		one.b = one.b[:0]
		one.text(k.Order)
		one.b = append(one.b, k.Body...)
		_, err = addRecord(s, one.b)
		return err
	})
	maps.DeleteFunc(w.alias, func(name, _ string) bool { return w.shared[name] != nil })
	maps.DeleteFunc(w.hands, func(_ lineKey, to string) bool { return !given[to] })
	return s, err
}

// also takes note of another number of an order. Orders come sorted.
func (w *walk) also(name, order string) {
	was, known := w.alias[name]
	switch all := w.shared[name]; {
	case !known:
		w.alias[name] = order
	case all == nil && was != order:
		w.shared[name] = []string{was, order}
	case all != nil && all[len(all)-1] != order:
		w.shared[name] = append(all, order)
	}
}

// knownOrders goes through what is known of orders.
type knownOrders struct {
	records *cursor
	name    string
	body    []byte // good until next
	begun   bool
	over    bool
}

func newKnown(s *spool.Spool) *knownOrders { return &knownOrders{records: newCursor(s)} }

// first goes to the first order unless the way has begun.
func (k *knownOrders) first() error {
	if k.begun {
		return nil
	}
	return k.next()
}

func (k *knownOrders) next() error {
	k.begun = true
	r, err := k.records.next()
	if errors.Is(err, io.EOF) {
		k.over, k.name, k.body = true, "", nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading what is known of orders again: %w", err)
	}
	r.text(&k.name)
	k.body = r.b
	return r.err
}

// is reports that the order it stands at has the name.
func (k *knownOrders) is(name string) bool { return k.begun && !k.over && k.name == name }

// reach goes on to a name and reports that it is known.
func (k *knownOrders) reach(name string) (bool, error) {
	if err := k.first(); err != nil {
		return false, err
	}
	for !k.over && k.name < name {
		if err := k.next(); err != nil {
			return false, err
		}
	}
	return k.is(name), nil
}
