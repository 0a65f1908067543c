package sqlstore

import (
	"context"
	"strings"

	"github.com/jmoiron/sqlx"

	"channelbridge/connector"
)

// head is the end of the chain as it was noted when its last line was sealed.
type head struct {
	Place int64  `db:"place"`
	Hash  string `db:"hash"`
}

// SealAudit puts committed lines into the chain, in the order of their ids; see connector.Audits.
// One process at a time does.
func (s *Store) SealAudit(ctx context.Context, limit int) (sealed int, err error) {
	err = s.write(ctx, func(tx *sqlx.Tx) error {
		sealed = 0
		if err := s.alone(ctx, tx, "audit"); err != nil {
			return err
		}
		var h head
		if err := get(ctx, tx, &h, `select place, hash from audit_head where id = 1`); err != nil {
			return err
		}
		var rows []auditRow
		if err := selects(ctx, tx, &rows, `
			select `+auditColumns+` from audit where place is null order by id limit ?`, limit); err != nil || len(rows) == 0 {
			return err
		}
		for i := range rows {
			h.Place++
			a := rows[i].entry()
			a.Place = h.Place
			h.Hash = a.Seal(h.Hash)
			rows[i].Place.Int64, rows[i].Hash.String = h.Place, h.Hash
		}
		if err := seal(ctx, tx, rows); err != nil {
			return err
		}
		sealed = len(rows)
		return exec(ctx, tx, `update audit_head set place = ?, hash = ? where id = 1`, h.Place, h.Hash)
	})
	return sealed, err
}

// seal writes places and hashes, many rows in one statement.
func seal(ctx context.Context, tx *sqlx.Tx, rows []auditRow) error {
	const most = 150
	for len(rows) > 0 {
		part := rows[:min(most, len(rows))]
		rows = rows[len(part):]
		args := make([]any, 0, 5*len(part))
		for _, r := range part {
			args = append(args, r.ID, r.Place.Int64)
		}
		for _, r := range part {
			args = append(args, r.ID, r.Hash.String)
		}
		for _, r := range part {
			args = append(args, r.ID)
		}
		if err := exec(ctx, tx, `
			update audit set place = case id`+strings.Repeat(` when ? then cast(? as bigint)`, len(part))+` end,
				hash = case id`+strings.Repeat(` when ? then ?`, len(part))+` end
			where id in `+list(len(part)), args...); err != nil {
			return err
		}
	}
	return nil
}

// VerifyAudit reads the whole chain; see connector.Audits. Lines that are sealed meanwhile are
// left for the next time.
func (s *Store) VerifyAudit(ctx context.Context, progress func(int64)) (int64, *connector.AuditFault, error) {
	const page = 1000
	var c connector.Chain
	var broken *connector.AuditFault
	err := s.read(ctx, func(tx *sqlx.Tx) error {
		for {
			var rows []auditRow
			if err := selects(ctx, tx, &rows, `
				select `+auditColumns+` from audit where place > ? order by place limit ?`, c.Length, page); err != nil {
				return err
			}
			for _, r := range rows {
				if broken = c.Next(r.entry()); broken != nil {
					return nil
				}
			}
			if progress != nil {
				progress(c.Length)
			}
			if len(rows) < page {
				break
			}
		}
		var h head
		err := get(ctx, tx, &h, `select place, hash from audit_head where id = 1`)
		broken = c.End(h.Place, h.Hash)
		return err
	})
	return c.Length, broken, err
}
