package payout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"channelbridge/connector"
)

// Desk is where people work on what the books of accounts have found. It decides by the books as
// they are at the moment, and keeps acts.
type Desk struct {
	Keep
	Clock connector.Clock
}

// RefusedError says that something cannot be done, for people.
type RefusedError struct {
	Code   string // stable
	Member string // of what was asked that is wrong; "": none by itself
	Reason string
	Hint   string
}

func (e *RefusedError) Error() string { return e.Reason }

// Codes of refusals.
const (
	RefusedState     = "wrong_state"       // not from the state the finding, claim, match or month is in
	RefusedInput     = "invalid"           // something that was asked for is wrong
	RefusedOvertaken = "overtaken"         // somebody else was faster
	RefusedOrder     = "unknown_order"     // nothing is known of the order
	RefusedLine      = "unknown_line"      // no such line in what counts
	RefusedPerson    = "other_person"      // it takes another person
	RefusedMonth     = "month_not_over"    // the month still goes on
	RefusedUnproven  = "payouts_unproven"  // payouts of the month do not add up
	RefusedUnmapped  = "lines_unexplained" // lines of the month nobody has classified
)

func refuse(code, reason, hint string, args ...any) error {
	return &RefusedError{Code: code, Reason: fmt.Sprintf(reason, args...), Hint: hint}
}

// wrong makes one refusal of what a check has found.
func wrong(err error) error {
	if err == nil {
		return nil
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	name, _, _ := strings.Cut(first, ":")
	return &RefusedError{Code: RefusedInput, Member: name, Reason: strings.ReplaceAll(err.Error(), "\n", "; "), Hint: "Correct it and send it again."}
}

// FindingQuery narrows findings; zero fields do not.
type FindingQuery struct {
	IDs       []string
	Scopes    []Scope
	Outcomes  []Outcome
	States    []State
	Assignees []string
	Claims    []ClaimState
	// Current leaves out those that are not there any more.
	Current bool
}

// names reports that the query may be about a finding, whatever becomes of it.
func (q FindingQuery) names(f Finding) bool {
	return oneOf(q.IDs, f.ID) && oneOf(q.Scopes, f.Subject.Scope)
}

func (q FindingQuery) wants(f Finding) bool {
	return q.names(f) && oneOf(q.Outcomes, f.Outcome) && oneOf(q.States, f.State) &&
		oneOf(q.Assignees, f.Progress.Assignee) && oneOf(q.Claims, f.Claim) && !(q.Current && f.Outcome == "")
}

func oneOf[T comparable](of []T, v T) bool { return len(of) == 0 || slices.Contains(of, v) }

// Findings lists the findings of accounts, the greatest difference of each first.
func (d Desk) Findings(ctx context.Context, accounts []Account, q FindingQuery) ([]Finding, error) {
	var out []Finding
	for _, a := range accounts {
		_, found, err := Review(ctx, d.Keep, a, d.Clock())
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", a.ID, err)
		}
		for _, f := range found {
			if q.wants(f) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}

// Asked is what somebody wants done about a finding.
type Asked struct {
	Do       Do
	Note     string
	Assignee string // of DoAssign; "": nobody
	Claim    Claim  // of DoClaim: its amount, reason, evidence and deadline
	State    ClaimState
	Granted  int64 // of a claim that was won in part
	// Seen is the difference it was decided on, in minor units; nil: whatever it is now.
	Seen *int64
}

// step is what is asked for as a step, but for what the finding is then.
func (a Asked) step() Step {
	s := Step{Do: a.Do, Note: a.Note, Assignee: a.Assignee}
	switch a.Do {
	case DoClaim:
		c := a.Claim
		s.Claim = &c
	case DoClaimState:
		if s.ClaimState = a.State; a.State == ClaimPartlyWon {
			s.Granted = a.Granted
		}
	}
	return s
}

// is reports that a step is just what is asked for, whatever the finding was then.
func (a Asked) is(s Step) bool {
	want := a.step()
	if s.Do != want.Do || s.Note != want.Note || s.Assignee != want.Assignee || s.ClaimState != want.ClaimState || s.Granted != want.Granted {
		return false
	}
	return s.Do != DoClaim || s.Claim.asksFor(*want.Claim)
}

// Act does something about a finding of an account and gives the finding as it is then;
// connector.ErrNotFound when there is none of that id.
func (d Desk) Act(ctx context.Context, a Account, id string, asked Asked, by By) (Finding, error) {
	b, list, err := Review(ctx, d.Keep, a, d.Clock())
	if err != nil {
		return Finding{}, err
	}
	i := slices.IndexFunc(list, func(f Finding) bool { return f.ID == id })
	if i < 0 {
		return Finding{}, fmt.Errorf("finding %s: %w", id, connector.ErrNotFound)
	}
	return d.act(ctx, b, list[i], asked, by)
}

func (d Desk) act(ctx context.Context, b *Books, f Finding, asked Asked, by By) (Finding, error) {
	if err := reused(b.People, by, actFinding, f.ID, asked.is); err != nil {
		return Finding{}, err
	}
	if b.People.heard(by) {
		return f, nil
	}
	step, err := f.step(asked)
	if err != nil {
		return Finding{}, err
	}
	if step.Claim != nil {
		step.Claim.ID, step.Claim.Had = "cl_"+short(f.ID, fmt.Sprint(len(f.Progress.Said))), f.reimbursed
	}
	kept, fresh, err := d.keep(ctx, act(b.Account.ID, actFinding, f.ID, step, b.Now, by), b.People, string(asked.Do)+" "+asked.Note)
	if err != nil {
		return Finding{}, err
	}
	if fresh {
		if err := b.People.take(kept); err != nil {
			return Finding{}, err
		}
	}
	return b.standing(f), nil
}

// keep keeps an act if nobody has spoken meanwhile. A repetition of the same is answered the same.
func (d Desk) keep(ctx context.Context, a connector.PayoutAct, p *People, reason string) (connector.PayoutAct, bool, error) {
	kept, fresh, err := d.Payouts.KeepAct(ctx, a, p.lastAct(a.Kind, a.About), auditLine(a, reason))
	if errors.Is(err, connector.ErrOvertaken) {
		return kept, false, refuse(RefusedOvertaken, "somebody else has just said something about it", "Look at it again, then decide.")
	}
	if err != nil {
		return kept, false, fmt.Errorf("keeping what was said: %w", err)
	}
	return kept, fresh, nil
}

// step checks what is asked for and makes the step of it. It is pure.
func (f Finding) step(asked Asked) (Step, error) {
	s := asked.step()
	s.Subject, s.Outcome, s.Difference, s.Causes = f.Subject, f.Outcome, f.Difference, f.causes()
	if len(asked.Note) > mostText || len(asked.Assignee) > mostText {
		return s, wrong(fmt.Errorf("note: it is longer than %d characters", mostText))
	}
	if asked.Seen != nil && *asked.Seen != f.Difference {
		return s, refuse(RefusedOvertaken, "the difference is %s now", "Look at it again, then decide.", f.Amount())
	}
	switch asked.Do {
	case DoAssign:
	case DoNote:
		if asked.Note == "" {
			return s, wrong(errors.New("note: it has to be given"))
		}
	case DoClaimState:
		return s, f.claimStep(asked)
	case DoReview, DoClaim, DoAccept, DoWriteOff, DoFix, DoReopen:
		switch {
		case f.Outcome == "" && asked.Do != DoReopen:
			return s, refuse(RefusedState, "the finding is not there any more: nothing is left to decide", "A note can still be written.")
		case !f.State.may(asked.Do):
			return s, refuse(RefusedState, "the finding is %s; it cannot be asked to %s from there", "Reopen it first, or look whether somebody has decided already.", f.State, asked.Do)
		case (asked.Do == DoAccept || asked.Do == DoWriteOff) && asked.Note == "":
			return s, wrong(errors.New("note: a reason has to be given for accepting or writing off"))
		case asked.Do == DoClaim && f.owed():
			return s, refuse(RefusedState, "a claim is out already: it is %s", "Say first what became of it: lost, or won and paid.", f.Claim)
		}
	default:
		return s, fmt.Errorf("unknown deed %q", asked.Do)
	}
	if asked.Do == DoClaim {
		return s, wrong(s.Claim.check(f.Subject.Currency))
	}
	return s, nil
}

// owed reports that money may still come for the finding's claim.
func (f Finding) owed() bool {
	return f.Progress.Claim != nil && f.Progress.Claim.owed(f.Claim, f.Reimbursed)
}

func (f Finding) claimStep(asked Asked) error {
	c := f.Progress.Claim
	switch {
	case c == nil:
		return refuse(RefusedState, "there is no claim", "Make one first.")
	case !f.Claim.mayBecome(asked.State) && !(asked.State == ClaimLost && f.owed()):
		return refuse(RefusedState, "the claim is %s and cannot become %s", "Money that comes for it settles it by itself.", f.Claim, asked.State)
	case asked.State == ClaimPartlyWon && (asked.Granted <= 0 || asked.Granted >= c.Amount):
		return wrong(errors.New("amount: what was granted of a claim is above zero and below the claim"))
	}
	return nil
}

// Done is what became of one finding of many.
type Done struct {
	Finding Finding
	Refused *RefusedError // nil: it was done, or would be
}

// Bulk does the same about many findings. With dry nothing is kept. Asked again under the same key it
// is about the same findings, also those that are not what was looked for since it was done.
func (d Desk) Bulk(ctx context.Context, accounts []Account, q FindingQuery, asked Asked, dry bool, by By) ([]Done, error) {
	var out []Done
	for _, a := range accounts {
		b, found, err := Review(ctx, d.Keep, a, d.Clock())
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", a.ID, err)
		}
		for _, f := range found {
			if !q.wants(f) && !(q.names(f) && b.People.heard(by.about(f))) {
				continue
			}
			one, err := d.one(ctx, b, f, asked, dry, by)
			if err != nil {
				return out, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// about is who acts, with a key for one finding of many.
func (b By) about(f Finding) By {
	if b.Key != "" {
		b.Key += "/" + f.ID
	}
	return b
}

func (d Desk) one(ctx context.Context, b *Books, f Finding, asked Asked, dry bool, by By) (Done, error) {
	var err error
	if dry {
		_, err = f.step(asked)
	} else {
		var now Finding
		if now, err = d.act(ctx, b, f, asked, by.about(f)); err == nil {
			f = now
		}
	}
	if no, refused := errors.AsType[*RefusedError](err); refused {
		return Done{f, no}, nil
	}
	return Done{f, nil}, err
}
