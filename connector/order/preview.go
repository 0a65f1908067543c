package order

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/shopadmin"
)

// Preview is exactly what a wish would do on both sides, or why it would not be done.
type Preview struct {
	Amount   money.Money      // what the buyer gets back, or is not charged, in all
	Commands []PreviewCommand // of both sides, in the order in which they would be sent
	Refusals []Refusal        // any of them stops the whole
	Warnings []string         // what a person should know before asking for it
	Read     ReadAt
}

// PreviewCommand is one outside write that would follow.
type PreviewCommand struct {
	Side   connector.Side
	Verb   connector.Verb
	Amount money.Money
	Lines  []PreviewLine
	Why    string
}

// PreviewLine is what a command does to one line of its own side.
type PreviewLine struct {
	Line     string
	Quantity int
	Amount   money.Money // tax included; none where the side works it out itself
}

// PreviewRefund says what a refund asked for here would do. It plans the order with the wish
// added, so what decides here is what will decide then.
func PreviewRefund(s Snapshot, w RefundWish) Preview {
	return previewOf(s, connector.WishRefund, w)
}

// PreviewCancel says what a cancellation asked for here would do.
func PreviewCancel(s Snapshot, w CancelWish) Preview {
	return previewOf(s, connector.WishCancel, w)
}

func previewOf(s Snapshot, kind connector.WishKind, body any) Preview {
	p := Preview{Read: readOf(s)}
	raw, err := json.Marshal(body)
	if err != nil {
		p.Refusals = []Refusal{{Code: AmountZero, Reason: "The request cannot be written down: " + err.Error() + "."}}
		return p
	}
	t := trial{wish: connector.Wish{ID: freeWish(s.Wishes), Subject: s.Subject, Kind: kind, Body: raw, Actor: connector.Operator, At: s.Now}}
	t.base = follow(s)
	s.Wishes = append(slices.Clone(s.Wishes), t.wish)
	t.with = follow(s)
	commands := t.with.without(t.base)
	for _, c := range commands {
		p.Commands = append(p.Commands, shownCommand(c))
		if instructs(c.Verb) {
			p.Amount = money.New(p.Amount.Minor+c.Amount.Minor, c.Amount.Currency)
		}
	}
	p.Refusals, p.Warnings = t.refusals(p.Amount), t.warnings()
	if len(p.Refusals) > 0 {
		p.Commands, p.Amount = nil, money.Money{}
	}
	return p
}

// freeWish is the id the next wish could get.
func freeWish(all []connector.Wish) int64 {
	id := int64(1)
	for _, w := range all {
		id = max(id, w.ID+1)
	}
	return id
}

// trial is an order without a wish and with it.
type trial struct {
	wish       connector.Wish
	base, with course
}

// about is what holds and commands of the wish name.
func (t trial) about() []string {
	if t.wish.Kind == connector.WishCancel {
		return []string{"order", aboutRest, ""}
	}
	return []string{wishAbout(t.wish.ID), "order"}
}

// refusals says why the wish would not be carried out, or not as a whole.
func (t trial) refusals(amount money.Money) []Refusal {
	p := t.with.last
	if out := t.held(refusing, t.about()...); len(out) > 0 {
		return out
	}
	if t.wish.Kind == connector.WishRefund && p.Market != nil && p.Shop != nil {
		if d := p.fromWish(t.wish); d.problem != "" {
			return []Refusal{{Code: d.code, Reason: sentence(d.problem), Line: d.bad}}
		}
	}
	if t.base.open() {
		return []Refusal{{Code: LockedByRequest, Reason: "Other money of this order is under way at the channel: " + t.underWay() + "."}}
	}
	if amount.Minor > 0 {
		return nil
	}
	if out := t.held(stopping); len(out) > 0 {
		return out
	}
	return []Refusal{t.nothing()}
}

// held turns holds into refusals: those about one of the names given, or of any when there are none.
func (t trial) held(codes map[string]string, about ...string) (out []Refusal) {
	for _, h := range t.with.last.d.Holds {
		code, ok := codes[h.Kind]
		if ok && (len(about) == 0 || slices.Contains(about, h.About)) {
			if h.Kind == "unreadable" && h.About == "money" {
				code = CurrencyDiffers
			}
			out = append(out, Refusal{Code: code, Reason: sentence(h.Reason), Hint: sentence(h.Hint)})
		}
	}
	return out
}

// nothing says why nothing at all follows from the wish.
func (t trial) nothing() Refusal {
	p := t.with.last
	switch {
	case p.Market == nil:
		return Refusal{Code: Held, Reason: "The channel's order has not been read yet.", Hint: "Wait until it has been read, or read its holds."}
	case p.byChannel() != "":
		return Refusal{Code: NoCapability, Reason: sentence(p.byChannel())}
	case p.Market.Lifecycle == marketplace.Cancelled:
		return Refusal{Code: AmountZero, Reason: "The order is cancelled at the channel: nothing was charged, or it was given back there."}
	case p.Shop == nil:
		return Refusal{Code: Held, Reason: "The order is not in the store yet.", Hint: "Wait until it is; its holds say what keeps it from being created there."}
	case p.d.Look:
		return Refusal{Code: Held, Reason: sentence(or(p.RefundsFault, "what the channel shows as refunded cannot be read")), Hint: "It is read again by itself; nothing is given back before it can be."}
	case t.wish.Kind != connector.WishCancel:
	case p.moving():
		return Refusal{Code: NoCapability, Reason: "Something of the order has shipped, so it cannot be cancelled any more.", Hint: "Refund what is to be given back."}
	case !p.can(marketplace.OpCancel):
		return Refusal{Code: NoCapability, Reason: "The channel takes no cancellations."}
	}
	return Refusal{Code: AmountZero, Reason: "There is nothing left of this order that could be given back at the channel."}
}

// underWay names the money that goes first.
func (t trial) underWay() string {
	for _, e := range t.base.last.Ledger {
		if instructs(e.Verb) && e.State.Open() {
			return fmt.Sprintf("%s over %s is %s (ledger entry %d)", e.Verb, e.Amount, e.State, e.ID)
		}
	}
	for _, c := range t.base.commands {
		if instructs(c.Verb) {
			return fmt.Sprintf("%s over %s is about to be sent", c.Verb, c.Amount)
		}
	}
	return "its outcome is open"
}

// warnings are what does not stop the wish but should be known.
func (t trial) warnings() (out []string) {
	for _, h := range t.with.first.d.Holds {
		if h.Kind == "refund_waits" && slices.Contains(t.about(), h.About) {
			out = append(out, sentence(h.Reason))
		}
	}
	for _, h := range t.with.last.d.Holds {
		if h.Kind == "kept_back_lost" && slices.Contains(t.about(), h.About) {
			out = append(out, sentence(h.Reason))
		}
	}
	if s := t.base.first; s.Policy.ReadsRefunds && s.Refunds == nil {
		out = append(out, "What the channel shows as refunded was never read; it is before anything is sent.")
	}
	return out
}

// shownCommand is a command for people, with the lines of those that move money.
func shownCommand(c connector.Command) PreviewCommand {
	out := PreviewCommand{Side: c.Side, Verb: c.Verb, Amount: c.Amount, Why: c.Why}
	switch {
	case instructs(c.Verb):
		for _, l := range instructionOf(c).Lines {
			sum := money.New(0, c.Amount.Currency)
			for _, x := range l.Parts {
				sum.Minor += x.Amount.Minor + x.Tax.Minor
			}
			out.Lines = append(out.Lines, PreviewLine{Line: l.Line, Quantity: l.Quantity, Amount: sum})
		}
	case c.Verb == RefundShop:
		var r shopadmin.NewRefund
		_ = json.Unmarshal(c.Body, &r) // written by this package
		for _, l := range r.Lines {
			out.Lines = append(out.Lines, PreviewLine{Line: l.Line, Quantity: l.Quantity})
		}
	}
	return out
}

// ReadAt is when what an answer is made from was read; zero: never.
type ReadAt struct {
	Market  time.Time `json:"market,omitzero"`
	Shop    time.Time `json:"shop,omitzero"`
	Refunds time.Time `json:"refunds,omitzero"`
}

func readOf(s Snapshot) ReadAt {
	return ReadAt{Market: later(s.MarketAt, s.MarketRead), Shop: later(s.ShopAt, s.ShopRead), Refunds: s.RefundsRead.UTC()}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b.UTC()
	}
	return a.UTC()
}

// sentence begins large and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	switch s[len(s)-1] {
	case '.', '!', '?', ';':
		return s
	}
	return s + "."
}
