package sqlstore_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/sqlstore"
)

// chained is a store with a sealed chain of five lines and one that is not sealed.
func chained(t *testing.T, s *sqlstore.Store) {
	for i := range 5 {
		require.NoError(t, s.Audit(t.Context(), connector.AuditEntry{At: noon, Actor: "system", Action: "sweep", Reason: fmt.Sprint("line ", i+1)}))
	}
	n, err := s.SealAudit(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 5, n)
	require.NoError(t, s.Audit(t.Context(), connector.AuditEntry{At: noon, Actor: "system", Action: "sweep"}))
}

func TestTheFirstBrokenLineOfTheRecordIsNamed(t *testing.T) {
	stores := map[string]*sqlstore.Store{"sqlite": engines["sqlite"](t), "postgres": engines["postgres"](t)}
	for says, c := range map[string]struct {
		does  string
		place int64
		why   string
	}{
		"nobody touched it":            {`select 1`, 0, ""},
		"a word was changed":           {`update audit set reason = 'other' where place = 3`, 3, "does not fit"},
		"an actor was changed":         {`update audit set actor = 'nobody' where place = 5`, 5, "does not fit"},
		"an instant was changed":       {`update audit set at = '2026-11-20T12:00:00.000001Z' where place = 1`, 1, "does not fit"},
		"a line was taken out":         {`delete from audit where place = 2`, 2, "missing"},
		"the last line was taken out":  {`delete from audit where place = 5`, 5, "missing at the end"},
		"all was taken out":            {`delete from audit`, 1, "missing at the end"},
		"two lines changed places":     {`update audit set place = case place when 2 then 30 when 3 then 2 end where place in (2, 3)`, 2, "does not fit"},
		"a hash was changed":           {`update audit set hash = 'x' where place = 4`, 4, "does not fit"},
		"a line was unsealed":          {`update audit set place = null, hash = null where place = 5`, 5, "missing at the end"},
		"a line was put in at the end": {`update audit set place = 6, hash = 'x' where place is null`, 6, "does not fit"},
		"the head was set back":        {`update audit_head set place = 4`, 5, "somebody else"},
		"the head's hash was changed":  {`update audit_head set hash = 'x'`, 5, "end of the chain"},
		"the head was taken away":      {`update audit_head set place = 0, hash = ''`, 1, "somebody else"},
	} {
		t.Run(says, func(t *testing.T) {
			for _, s := range stores {
				_, err := s.DB().Exec(`delete from audit; update audit_head set place = 0, hash = ''`)
				require.NoError(t, err)
				chained(t, s)
				_, err = s.DB().Exec(c.does)
				require.NoError(t, err)
				checked, broken, err := s.VerifyAudit(t.Context(), nil)
				require.NoError(t, err)
				if c.place == 0 {
					require.Nil(t, broken)
					require.EqualValues(t, 5, checked)
					continue
				}
				require.NotNil(t, broken)
				require.Equal(t, c.place, broken.Place)
				require.Contains(t, broken.Reason, c.why)
			}
		})
	}
}

// A line that was rewritten with a hash that fits it is found by the line after it.
func TestARewrittenLineIsFoundByItsNeighbour(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		chained(t, s)
		lines, err := s.AuditEntries(t.Context(), 0, 10)
		require.NoError(t, err)
		forged := lines[2]
		forged.Reason = "forged"
		_, err = s.DB().Exec(s.DB().Rebind(`update audit set reason = ?, hash = ? where place = 3`), forged.Reason, forged.Seal(lines[1].Hash))
		require.NoError(t, err)
		checked, broken, err := s.VerifyAudit(t.Context(), nil)
		require.NoError(t, err)
		require.EqualValues(t, 4, broken.Place)
		require.EqualValues(t, 3, checked)
	})
}

func TestALongChainIsReadInPages(t *testing.T) {
	each(t, func(t *testing.T, s *sqlstore.Store) {
		tx, err := s.DB().Beginx()
		require.NoError(t, err)
		for range 1203 {
			_, err := tx.Exec(`insert into audit (at, actor, action) values ('2026-11-20T12:00:00.000000Z', 'system', 'sweep')`)
			require.NoError(t, err)
		}
		require.NoError(t, tx.Commit())
		n, err := s.SealAudit(t.Context(), 5000)
		require.NoError(t, err)
		require.Equal(t, 1203, n)
		var told []int64
		checked, broken, err := s.VerifyAudit(t.Context(), func(n int64) { told = append(told, n) })
		require.NoError(t, err)
		require.Nil(t, broken)
		require.EqualValues(t, 1203, checked)
		require.Equal(t, []int64{1000, 1203}, told)
	})
}
