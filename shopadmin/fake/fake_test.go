package fake_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
			LoseNextAnswer: func() { s.Faults.Lost = 1 },
			ThrottleNext:   func() { s.Faults.Fail = 1 },
		}
	})
}
