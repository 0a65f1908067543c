package amazon

import (
	"errors"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
)

// mostWaiting bounds what is kept of a file whose decimal mark is open, in bytes of its rows.
const mostWaiting = 8 << 20

// amounts hands a settlement on, its head first, as soon as the amounts are clear. Rows wait only
// while nothing in the file tells a comma from a point.
type amounts struct {
	head func(marketplace.Statement) error
	line func(marketplace.Movement) error

	left    reading // zero: nothing read yet
	started bool    // the head is handed on
	first   pendingHead
	waiting []pendingLine
	size    int
}

type pendingHead struct {
	marketplace.Statement
	text string
	row  int
	figure
}

type pendingLine struct {
	marketplace.Movement
	text string
	figure
}

// narrow reads an amount and drops the readings that are impossible for it.
func (a *amounts) narrow(row int, c column, text, currency string) (figure, error) {
	f, err := readFigure(text, currency)
	switch {
	case errors.Is(err, money.ErrDigits):
		return f, marketplace.BadRow(row, columnNames[c], text, "has more decimals than %s", currency)
	case errors.Is(err, money.ErrOverflow):
		return f, marketplace.BadRow(row, columnNames[c], text, "is too large")
	case err != nil:
		return f, marketplace.BadRow(row, columnNames[c], text, "is not an amount")
	}
	if a.left == 0 {
		a.left = either
	}
	if a.left&f.can == 0 {
		return f, marketplace.BadRow(row, columnNames[c], text, "contradicts the rows above, which have %s", a.left)
	}
	a.left &= f.can
	return f, nil
}

func (a *amounts) open(st marketplace.Statement, row int, text string) error {
	f, err := a.narrow(row, colTotal, text, st.Currency)
	if err != nil {
		return err
	}
	a.first = pendingHead{st, text, row, f}
	return a.pass()
}

func (a *amounts) add(m marketplace.Movement, text, currency string, size int) error {
	f, err := a.narrow(m.Row, colAmount, text, currency)
	if err != nil {
		return err
	}
	a.waiting = append(a.waiting, pendingLine{m, text, f})
	a.size += size
	if err := a.pass(); err != nil {
		return err
	}
	if a.size > mostWaiting {
		return a.unclear("the rows that follow, %d MiB of them, do not tell", mostWaiting>>20)
	}
	return nil
}

// pass hands on what is clear, in the order of the file.
func (a *amounts) pass() error {
	if !a.started {
		total, clear := a.first.amount(a.left)
		if !clear {
			return nil
		}
		a.started = true
		a.first.Paid = total
		if err := a.head(a.first.Statement); err != nil {
			return err
		}
	}
	for i, w := range a.waiting {
		var clear bool
		if w.Amount, clear = w.figure.amount(a.left); !clear {
			a.waiting = a.waiting[i:]
			return nil
		}
		if err := a.line(w.Movement); err != nil {
			return err
		}
	}
	a.waiting, a.size = a.waiting[:0], 0
	return nil
}

// end refuses a file that never told.
func (a *amounts) end() error {
	if a.started && len(a.waiting) == 0 {
		return nil
	}
	return a.unclear("no other amount of the file tells")
}

// unclear names the first amount that can be read two ways.
func (a *amounts) unclear(reason string, args ...any) error {
	const text = "may have a decimal point or a decimal comma, and "
	if !a.started {
		return marketplace.BadRow(a.first.row, columnNames[colTotal], a.first.text, text+reason, args...)
	}
	w := a.waiting[0]
	return marketplace.BadRow(w.Row, columnNames[colAmount], w.text, text+reason, args...)
}
