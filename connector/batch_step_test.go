package connector

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
)

func TestABatchGoesForwardOnly(t *testing.T) {
	all := []BatchState{BatchFormed, BatchPrepared, BatchSending, BatchSent, BatchDone, BatchLost, BatchDropped}
	over := []BatchState{BatchDone, BatchLost, BatchDropped}
	allowed := map[BatchState][]BatchState{
		BatchFormed:   append([]BatchState{BatchPrepared, BatchSending}, over...),
		BatchPrepared: append([]BatchState{BatchPrepared, BatchSending}, over...),
		BatchSending:  append([]BatchState{BatchSent}, over...),
		BatchSent:     append([]BatchState{BatchSent}, over...),
	}
	for _, from := range all {
		for _, to := range all {
			require.Equal(t, slices.Contains(allowed[from], to), from.Leads(to), "%s to %s", from, to)
		}
	}
}

func TestAStepKeepsWhatItDoesNotSay(t *testing.T) {
	at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	b := Batch{State: BatchPrepared, Document: "doc"}
	b.Take(BatchStep{State: BatchSending, At: at, Deadline: at.Add(time.Minute)})
	b.Take(BatchStep{State: BatchSent, At: at.Add(time.Second), Ticket: "feed"})
	b.Take(BatchStep{State: BatchSent, At: at.Add(time.Hour)})
	require.Equal(t, Batch{State: BatchSent, Document: "doc", Ticket: "feed", ChangedAt: at.Add(time.Hour),
		SendingAt: at, Deadline: at.Add(time.Minute)}, b)
}

func TestBudgetsBoundOnlyWhatTheySay(t *testing.T) {
	require.False(t, Budget{}.Exceeded(1000, 1000))
	require.False(t, Budget{Count: 2}.Exceeded(2, 1000))
	require.True(t, Budget{Count: 2}.Exceeded(3, 0))
	require.False(t, Budget{Sum: money.New(100, "EUR")}.Exceeded(1000, 100))
	require.True(t, Budget{Sum: money.New(100, "EUR")}.Exceeded(1, 101))
	require.True(t, Budget{Sum: money.New(0, "EUR")}.Exceeded(1, 1), "a currency alone allows nothing")
}
