package fake_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/shopadmin"
	"channelbridge/shopadmin/fake"
	"channelbridge/shopadmin/shoptest"
)

func TestExercise(t *testing.T) {
	shoptest.Exercise(t, func(t *testing.T) shoptest.Harness {
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		s := fake.New(func() time.Time { return now }, rand.New(rand.NewPCG(1, 1)))
		s.Faults.ListLag = 20 * time.Second
		return shoptest.Harness{Admin: s, Messages: func() int { return 0 },
			Advance: func(d time.Duration) { now = now.Add(d); s.Faults = fake.Faults{ListLag: s.Faults.ListLag} },
			Ship: func(t *testing.T, id shopadmin.OrderID, company, number string) string {
				f, err := s.Fulfill(id, map[string]int{s.Get(id).Lines[0].ID: 1}, shopadmin.Tracking{Company: company, Number: number})
				require.NoError(t, err)
				return f
			},
			GiveBack: func(t *testing.T, id shopadmin.OrderID, amount money.Money) string {
				return give(t, s, id, fake.Take{Beyond: amount.Minor})
			},
			PutBack: func(t *testing.T, id shopadmin.OrderID) string {
				return give(t, s, id, fake.Take{Units: map[string]int{s.Get(id).Lines[0].ID: 1}, Restock: shopadmin.RestockCancel, Goods: true})
			},
			GiveBackLater: func(t *testing.T, id shopadmin.OrderID, amount money.Money) (string, func(bool)) {
				ref := give(t, s, id, fake.Take{Beyond: amount.Minor, Pending: true})
				return ref, func(moved bool) {
					if moved {
						s.PendingMoved(id, ref)
					} else {
						s.PendingFailed(id, ref)
					}
				}
			},
			CancelThere: func(t *testing.T, id shopadmin.OrderID, refund bool) {
				require.NoError(t, s.CancelByStaff(id, "customer", refund))
			},
			LoseNextAnswer:   func() { s.Faults.Lost = 1 },
			ThrottleNext:     func() { s.Faults.Fail = 1 },
			LoseNextRefund:   func() { s.Faults.Lost = 1 },
			LoseNextCancel:   func() { s.Faults.Lost = 1 },
			ThrottleNextWish: func() { s.Faults.Fail = 1 },
		}
	})
}

func give(t *testing.T, s *fake.Shop, id shopadmin.OrderID, take fake.Take) string {
	t.Helper()
	ref, err := s.GiveBack(id, take)
	require.NoError(t, err)
	return ref
}
