package sqlstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// Reopen lets refused entries be sent again; see connector.Ledger.
func (s *Store) Reopen(ctx context.Context, sub connector.Subject, at time.Time, text string) (reopened int, err error) {
	actor := connector.ActorOf(ctx, connector.Operator)
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		r, err := subject(ctx, tx, sub, s.dialect.lock)
		if err != nil {
			return err
		}
		var rows []entryRow
		if err := selects(ctx, tx, &rows, `
			update effects set state = ?, retry_at = ? where subject = ? and state = ? returning `+entryColumns,
			string(connector.Retry), stamped(at), r.ID, string(connector.Refused)); err != nil {
			return err
		}
		reopened = len(rows)
		if err := wake(ctx, tx, at, r.ID); err != nil {
			return err
		}
		done := written{notes: []note{{r.ID, at, actor, "reopen", text}}}
		for _, e := range rows {
			done.lines = append(done.lines, connector.EntryLine("reopen", actor, text, e.entry(sub), at))
		}
		return done.write(ctx, tx)
	})
	return reopened, err
}

// Resolve records a person's answer about an entry in doubt; see connector.Ledger.
func (s *Store) Resolve(ctx context.Context, id int64, o connector.Outcome, actor, evidence string) error {
	if o.State != connector.Done && o.State != connector.Refused {
		return fmt.Errorf("a person's answer is done or refused, not %q", o.State)
	}
	o.Reason, o.RetryAt = evidence, time.Time{}
	return s.write(ctx, func(tx *sqlx.Tx) error {
		a, old, err := s.lockEntry(ctx, tx, id)
		if err != nil {
			return err
		}
		if !old.entry(a.subject()).Doubtful(sameMicro(o.At)) {
			return connector.ErrSettled
		}
		e, err := setOutcome(ctx, tx, old, o, stamped(o.At))
		if err != nil {
			return err
		}
		if err := wake(ctx, tx, o.At, a.ID); err != nil {
			return err
		}
		done := written{notes: []note{{a.ID, o.At, actor, "resolve", o.Answer(evidence)}},
			lines: []connector.AuditEntry{connector.EntryLine("resolve", actor, evidence, e.entry(a.subject()), o.At)}}
		return done.write(ctx, tx)
	})
}
