package generic_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
	"channelbridge/marketplace/generic"
)

// adapter is all of the contract that the exercise looks at.
type adapter interface {
	marketplace.Adapter
	marketplace.Receiver
	marketplace.Checker
	marketplace.Instructor
	marketplace.RefundReader
}

// mutants are adapters with one mistake each. The exercise has to notice every one of them.
var mutants = map[string]func(generic.Instructed) adapter{
	"a new key for every send":        func(a generic.Instructed) adapter { return &newKeys{Instructed: a} },
	"an unknown end is a refusal":     func(a generic.Instructed) adapter { return classes{a, fault.Unknown, fault.Refused} },
	"throttling is a refusal":         func(a generic.Instructed) adapter { return classes{a, fault.Temporary, fault.Refused} },
	"denied is temporary":             func(a generic.Instructed) adapter { return classes{a, fault.Denied, fault.Temporary} },
	"not found is a refusal":          func(a generic.Instructed) adapter { return classes{a, fault.NotFound, fault.Refused} },
	"refused is temporary":            func(a generic.Instructed) adapter { return classes{a, fault.Refused, fault.Temporary} },
	"pushes are believed":             func(a generic.Instructed) adapter { return gullible{a} },
	"only the first page":             func(a generic.Instructed) adapter { return onePage{a} },
	"the watermark runs ahead":        func(a generic.Instructed) adapter { return hasty{a} },
	"a cancelled call goes on":        func(a generic.Instructed) adapter { return stubborn{a} },
	"a new key for every instruction": func(a generic.Instructed) adapter { return &newInstructionKeys{Instructed: a} },
	"a lost instruction is a refusal": func(a generic.Instructed) adapter { return sure{a} },
	"refunds of the first page alone": func(a generic.Instructed) adapter { return firstRefunds{a} },
	"a refund without its tax":        func(a generic.Instructed) adapter { return untaxed{a} },
	"refunds are listed newest first": func(a generic.Instructed) adapter { return backwards{a} },
	"one piece too many":              func(a generic.Instructed) adapter { return wholeLines{a} },
}

const mutantName = "GENERIC_MUTANT"

// TestTheExerciseNoticesMistakes runs this test binary once per mutant; the run must fail.
func TestTheExerciseNoticesMistakes(t *testing.T) {
	if os.Getenv(mutantName) != "" {
		t.Skip("this is a mutant's run")
	}
	t.Parallel()
	for name := range mutants {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExercise$")
			cmd.Env = append(os.Environ(), mutantName+"="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "nobody noticed")
			require.Contains(t, string(out), "--- FAIL: TestExercise/", "it must be a chapter that fails")
		})
	}
}

// played returns the adapter of this run: the real one, or the mutant that was asked for.
func played(a generic.Instructed) adapter {
	if spoil := mutants[os.Getenv(mutantName)]; spoil != nil {
		return spoil(a)
	}
	return a
}

type newKeys struct {
	generic.Instructed
	n int
}

func (m *newKeys) ConfirmShipment(ctx context.Context, key string, s marketplace.Shipment) (marketplace.Receipt, error) {
	m.n++
	return m.Instructed.ConfirmShipment(ctx, fmt.Sprint(key, m.n), s)
}

type classes struct {
	generic.Instructed
	from, to fault.Class
}

func (m classes) turn(err error) error {
	if fault.Is(err, m.from) {
		return &fault.Error{Class: m.to, Err: fmt.Errorf("%s", err)}
	}
	return err
}

func (m classes) Order(ctx context.Context, id marketplace.OrderID) (marketplace.Order, error) {
	o, err := m.Instructed.Order(ctx, id)
	return o, m.turn(err)
}

func (m classes) ConfirmShipment(ctx context.Context, key string, s marketplace.Shipment) (marketplace.Receipt, error) {
	r, err := m.Instructed.ConfirmShipment(ctx, key, s)
	return r, m.turn(err)
}

type gullible struct{ generic.Instructed }

func (m gullible) Receive(_ time.Time, in marketplace.Inbound) ([]marketplace.Hint, error) {
	hints, err := m.Unwrap(in.Body)
	for i := range hints {
		hints[i].DeliveryID = in.Header.Get(generic.HeaderID)
	}
	return hints, err
}

type onePage struct{ generic.Instructed }

func (m onePage) Changed(ctx context.Context, after marketplace.Cursor) (marketplace.Page, error) {
	p, err := m.Instructed.Changed(ctx, after)
	p.More, p.Next = false, marketplace.Cursor{Since: after.Since}
	return p, err
}

type hasty struct{ generic.Instructed }

func (m hasty) Changed(ctx context.Context, after marketplace.Cursor) (marketplace.Page, error) {
	p, err := m.Instructed.Changed(ctx, after)
	if !p.More {
		p.Next.Since = after.Since.Add(24 * time.Hour)
	}
	return p, err
}

type stubborn struct{ generic.Instructed }

func (m stubborn) Order(ctx context.Context, id marketplace.OrderID) (marketplace.Order, error) {
	return m.Instructed.Order(context.WithoutCancel(ctx), id)
}

type wholeLines struct{ generic.Instructed }

func (m wholeLines) ConfirmShipment(ctx context.Context, key string, s marketplace.Shipment) (marketplace.Receipt, error) {
	for i := range s.Lines {
		s.Lines[i].Quantity++
	}
	return m.Instructed.ConfirmShipment(ctx, key, s)
}

type newInstructionKeys struct {
	generic.Instructed
	n int
}

func (m *newInstructionKeys) Instruct(ctx context.Context, key string, in marketplace.Instruction) (marketplace.Receipt, error) {
	m.n++
	return m.Instructed.Instruct(ctx, fmt.Sprint(key, m.n), in)
}

type sure struct{ generic.Instructed }

func (m sure) Instruct(ctx context.Context, key string, in marketplace.Instruction) (marketplace.Receipt, error) {
	r, err := m.Instructed.Instruct(ctx, key, in)
	return r, classes{m.Instructed, fault.Unknown, fault.Refused}.turn(err)
}

type firstRefunds struct{ generic.Instructed }

func (m firstRefunds) Refunded(ctx context.Context, after marketplace.Cursor) (marketplace.RefundPage, error) {
	p, err := m.Instructed.Refunded(ctx, after)
	p.More, p.Next = false, marketplace.Cursor{Since: after.Since}
	return p, err
}

type untaxed struct{ generic.Instructed }

func (m untaxed) Refunds(ctx context.Context, id marketplace.OrderID) ([]marketplace.Refund, error) {
	all, err := m.Instructed.Refunds(ctx, id)
	for i := range all {
		all[i].Amount = all[i].Untaxed
	}
	return all, err
}

type backwards struct{ generic.Instructed }

func (m backwards) Refunds(ctx context.Context, id marketplace.OrderID) ([]marketplace.Refund, error) {
	all, err := m.Instructed.Refunds(ctx, id)
	slices.Reverse(all)
	return all, err
}
