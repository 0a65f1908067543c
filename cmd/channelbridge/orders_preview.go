package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"channelbridge/connector"
	"channelbridge/internal/httpapi"
)

// errRefused ends a command whose request was refused; what it says is printed already.
var errRefused = errors.New("refused")

// clues say what to do about a refusal where the rules do not.
var clues = map[string]string{
	httpapi.AlreadyRefunded:  "compare both sides with `channelbridge orders money`; record it in the store by hand if it is missing there",
	httpapi.AboveRefundable:  "ask for no more than `channelbridge orders money` shows as refundable",
	httpapi.AmountZero:       "ask for an amount above zero",
	httpapi.LockedByRequest:  "wait for its outcome, or settle it if nobody knows it: `channelbridge ledger resolve`",
	httpapi.WholeOnly:        "refund or cancel the whole order",
	httpapi.CurrencyDiffers:  "give amounts in the currency of the order",
	httpapi.NotCaptured:      "cancel the units that have not shipped instead, or wait until the buyer was charged",
	httpapi.ChannelNotActive: "see `channelbridge connections list`",
	httpapi.OrderHeld:        "release the order first: `channelbridge orders release`",
	httpapi.UnknownLine:      "use the channel's line ids, as `channelbridge orders money` shows them",
	httpapi.NoCapability:     "do it at the channel itself; it will be seen there",
}

// showPreview prints what would follow. A refused request ends the command; nothing is kept then.
func (a *app) showPreview(s connector.Subject, kind connector.WishKind, p httpapi.Preview, dry bool) error {
	for i, r := range p.Refusals {
		p.Refusals[i].Hint = or(r.Hint, clues[r.Code])
	}
	refused := len(p.Refusals) > 0
	if a.asJSON {
		if refused || dry {
			if err := a.printJSON(movedMoney{Preview: &p}); err != nil {
				return err
			}
		}
	} else if err := a.printPreview(s, kind, p); err != nil {
		return err
	}
	if refused {
		return errRefused
	}
	return nil
}

func (a *app) printPreview(s connector.Subject, kind connector.WishKind, p httpapi.Preview) error {
	for _, w := range p.Warnings {
		fmt.Fprintf(a.stdout, "note: %s\n", oneLine(w))
	}
	if len(p.Refusals) > 0 {
		fmt.Fprintf(a.stdout, "The %s of %s is refused:\n", kind, s)
		var rows [][]string
		for _, r := range p.Refusals {
			rows = append(rows, []string{r.Code, orDash(r.Line), r.Reason, orDash(r.Hint)})
		}
		return table(a.stdout, "CODE\tLINE\tREASON\tHINT", rows)
	}
	fmt.Fprintf(a.stdout, "%s: the buyer gets %s back, or is not charged it. This would follow, in this order:\n", s, p.Amount)
	var rows [][]string
	for i, c := range p.Commands {
		amount := "-"
		if !c.Amount.IsZero() {
			amount = c.Amount.String()
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), string(c.Side), string(c.Verb), amount, "", "", c.Why})
		for _, l := range c.Lines {
			amount := ""
			if !l.Amount.IsZero() {
				amount = l.Amount.String()
			}
			rows = append(rows, []string{"", "", "", amount, l.Line, fmt.Sprint(l.Quantity), ""})
		}
	}
	return table(a.stdout, "STEP\tSIDE\tWHAT\tAMOUNT\tLINE\tUNITS\tWHY", rows)
}

// confirm asks a person at a terminal. Anywhere else the flag has to say it.
func (a *app) confirm(question string) error {
	f, ok := a.stdin.(interface{ Stat() (fs.FileInfo, error) })
	terminal := false
	if ok {
		info, err := f.Stat()
		terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !terminal {
		return usage("nobody is there to confirm it: add --yes, or --dry-run to see only what would follow")
	}
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(a.stdin).ReadString('\n') // no answer is a no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("not confirmed: nothing was kept")
}
