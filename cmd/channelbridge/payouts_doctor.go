package main

import (
	"context"
	"fmt"

	"channelbridge/connector"
)

// filesLookedAt is how many of the newest payout files doctor looks at.
const filesLookedAt = 200

// payoutFindings tells of payouts whose lines do not come to what was paid, and of payout files
// that could not be understood.
func payoutFindings(ctx context.Context, s connector.Payouts) []finding {
	list, err := s.PayoutList(ctx, connector.PayoutFilter{})
	if err != nil {
		return []finding{{"payouts", "fail", err.Error(), ""}}
	}
	if len(list) == 0 {
		return nil
	}
	var out []finding
	proven := 0
	for _, p := range list {
		if why := proof(p); why != "proven" {
			out = append(out, finding{"payouts", "warn", fmt.Sprintf("payout %s of %s is %s", p.External, p.Account, why), "compare its file with the channel's own page: channelbridge payouts show " + p.External})
			continue
		}
		proven++
	}
	files, err := s.PayoutSources(ctx, "", filesLookedAt)
	if err != nil {
		return append(out, finding{"payouts", "fail", err.Error(), ""})
	}
	for _, f := range files {
		if f.State == connector.SourceRejected {
			out = append(out, finding{"payouts", "warn", fmt.Sprintf("the payout file %s of %s is kept but not imported: %s", or(f.Name, f.Hash[:12]), f.Account, f.Reason), "see channelbridge payouts files"})
		}
	}
	return append(out, finding{"payouts", "ok", fmt.Sprintf("%d of %d are proven", proven, len(list)), ""})
}
