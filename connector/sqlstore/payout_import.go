package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// errSameContents ends an import that would change nothing.
var errSameContents = errors.New("the payout is in the books already")

// ImportPayout writes a payout and its lines; see connector.Payouts.
func (s *Store) ImportPayout(ctx context.Context, now connector.Clock,
	fill func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error) (connector.Payout, bool, error) {
	in := &payoutImport{store: s, now: now}
	err := s.undisturbed(ctx, func(tx *sqlx.Tx) error { return in.run(ctx, tx, fill) })
	switch {
	case errors.Is(err, errSameContents):
		return in.last, false, nil
	case err != nil && in.made.External != "":
		return connector.Payout{}, false, fmt.Errorf("import payout %s of %s: %w", in.made.External, in.made.Account, err)
	case err != nil:
		return connector.Payout{}, false, fmt.Errorf("import a payout: %w", err)
	}
	return in.made, true, nil
}

// undisturbed runs f in one transaction that ends when f does and not when the context does: the
// driver cannot take back a transaction in the middle of a COPY. f itself watches the context. It
// is run once.
func (s *Store) undisturbed(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	conn, err := s.db.Connx(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	tx, err := conn.BeginTxx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// payoutImport is one payout on its way in.
type payoutImport struct {
	store *Store
	now   connector.Clock
	tally connector.PayoutTally
	made  connector.Payout
	last  connector.Payout // the newest revision before this one; no ID: there is none
	lines lineWriter
	err   error // the first of head's and line's own
}

// run lets fill hand over head and lines, and settles what they come to. Whatever fill does with
// an error of ours, nothing is kept then.
func (in *payoutImport) run(ctx context.Context, tx *sqlx.Tx,
	fill func(head func(connector.Payout) error, line func(connector.PayoutLine) error) error) error {
	defer func() { // even if fill panics: a COPY must be over before its transaction
		if in.lines != nil {
			_ = in.lines.close()
		}
	}()
	err := fill(
		func(p connector.Payout) error { return in.remember(in.head(ctx, tx, p)) },
		func(l connector.PayoutLine) error { return in.remember(in.line(ctx, l)) })
	if err == nil {
		err = in.err
	}
	if err != nil {
		return err
	}
	return in.finish(ctx, tx)
}

func (in *payoutImport) remember(err error) error {
	if in.err == nil {
		in.err = err
	}
	return in.err
}

// head opens the next revision. Imports of one payout wait for each other here.
func (in *payoutImport) head(ctx context.Context, tx *sqlx.Tx, p connector.Payout) (err error) {
	p.ImportedAt, p.External, p.Source, p.BankRef = sameMicro(in.now()), clean(p.External), clean(p.Source), clean(p.BankRef)
	if in.made, err = in.tally.Head(p); err != nil {
		return err
	}
	if err := in.store.alone(ctx, tx, "payout/"+string(p.Account)+"/"+p.External); err != nil {
		return err
	}
	if in.last, err = newestRevision(ctx, tx, p); err != nil {
		return err
	}
	if err := in.supersede(ctx, tx); err != nil {
		return err
	}
	in.made.Revision = in.last.Revision + 1
	if in.made.ID, err = insertPayout(ctx, tx, in.made); err != nil {
		return err
	}
	in.lines, err = in.store.dialect.lineWriter(ctx, tx)
	return err
}

// supersede marks the revision before, which is superseded at the instant this one is imported at.
func (in *payoutImport) supersede(ctx context.Context, tx *sqlx.Tx) error {
	return exec(ctx, tx, `update payouts set superseded_at = ? where id = ?`, stamped(in.made.ImportedAt), in.last.ID)
}

// newestRevision is the newest one of the same payout; without an ID when there is none.
func newestRevision(ctx context.Context, tx *sqlx.Tx, p connector.Payout) (connector.Payout, error) {
	var row payoutRow
	err := get(ctx, tx, &row, `
		select `+payoutColumns+` from payouts where account = ? and external = ? order by revision desc limit 1`,
		string(p.Account), p.External)
	if errors.Is(err, sql.ErrNoRows) {
		return connector.Payout{}, nil
	}
	return row.payout(), err
}

func insertPayout(ctx context.Context, tx *sqlx.Tx, p connector.Payout) (id int64, err error) {
	err = get(ctx, tx, &id, `
		insert into payouts (account, external, revision, currency, period_start, period_end, state, paid_at,
			opening_minor, closing_minor, paid_minor, declared, source, imported_at, bank_ref)
		values `+list(15)+` returning id`,
		string(p.Account), p.External, p.Revision, p.Currency, stamped(p.Start), stamped(p.End), string(p.State), stamped(p.PaidAt),
		minorOf(p.Opening), minorOf(p.Closing), minorOf(p.Paid), p.Declared, p.Source, stamped(p.ImportedAt), p.BankRef)
	return id, err
}

// line writes the next line.
func (in *payoutImport) line(ctx context.Context, l connector.PayoutLine) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l, err := in.tally.Line(cleanLine(l))
	if err != nil {
		return err
	}
	l.Payout = in.made.ID
	return in.lines.put(lineArgs(l))
}

// numberKeys gives equal made keys their numbers. Two equal keys of the channel's own are an error.
func numberKeys(ctx context.Context, tx *sqlx.Tx, payout int64) error {
	var twice struct {
		Own string `db:"own"` // one of them that is the channel's
		N   int    `db:"n"`
	}
	if err := get(ctx, tx, &twice, `
		select coalesce(min(case when key like '=%' and key not like '==%' then null else key end), '') as own, count(*) as n
		from (select key from payout_lines where payout = ? and key <> '' group by key having count(*) > 1) twice`, payout); err != nil {
		return err
	}
	switch {
	case twice.Own != "":
		return fmt.Errorf("key %q: %w", twice.Own, connector.ErrLineTwice)
	case twice.N == 0:
		return nil
	}
	return exec(ctx, tx, `
		update payout_lines set key = payout_lines.key || '/' || cast(n.no as text) from (
			select line_no, row_number() over (partition by key order by line_no) - 1 as no from payout_lines where payout = ? and key in (
				select key from payout_lines where payout = ? and key <> '' group by key having count(*) > 1)) n
		where payout_lines.payout = ? and payout_lines.line_no = n.line_no and n.no > 0`, payout, payout, payout)
}

// finish ends the lines and fills in what they come to, unless the newest revision says the same.
func (in *payoutImport) finish(ctx context.Context, tx *sqlx.Tx) error {
	total, err := in.tally.End()
	if err != nil {
		return err
	}
	if total.Digest == in.last.Digest {
		return errSameContents
	}
	if err := in.lines.close(); err != nil {
		return err
	}
	if err := numberKeys(ctx, tx, in.made.ID); err != nil {
		return err
	}
	in.made.Lines, in.made.Sum, in.made.Digest, in.made.ImportedAt = total.Lines, total.Sum, total.Digest, sameMicro(in.now())
	if err := exec(ctx, tx, `update payouts set lines = ?, sum_minor = ?, digest = ?, imported_at = ? where id = ?`,
		total.Lines, total.Sum.Minor, total.Digest, stamped(in.made.ImportedAt), in.made.ID); err != nil {
		return err
	}
	if err := in.supersede(ctx, tx); err != nil {
		return err
	}
	return ctx.Err()
}
