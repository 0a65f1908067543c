package amazon

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"channelbridge/internal/fault"
)

type feed struct {
	FeedID               string
	FeedType             string
	MarketplaceIDs       []string
	CreatedTime          instant
	ProcessingStatus     string
	ResultFeedDocumentID string
}

// Find lists feeds of a lane and site created since an instant, oldest first. Amazon does not
// say which document a feed was made of.
func (a *Adapter) Find(ctx context.Context, name, site string, since time.Time) ([]string, error) {
	l, known := lanes[name]
	if !known {
		return nil, fault.New(fault.Refused, "amazon %s: there is no lane %q", opGetFeeds, name)
	}
	if oldest := a.clock().Add(-feedsKept); since.Before(oldest) {
		since = oldest
	}
	query := url.Values{"feedTypes": {l.feedType}, "marketplaceIds": {site}, "createdSince": {stamp(since)}, "pageSize": {"100"}}
	var found []feed
	used := map[string]bool{}
	for range maxFeedPages {
		var body struct {
			Feeds     []feed
			NextToken string
		}
		_, err := a.api.read(ctx, request{op: opGetFeeds, method: http.MethodGet, path: feedsPath, query: query, repeat: true}, &body)
		if err != nil {
			return nil, fault.Wrap(err, "looking for feeds since %s", stamp(since))
		}
		for _, f := range body.Feeds {
			if f.of(l, site) && !f.CreatedTime.Before(since.Truncate(time.Second)) {
				found = append(found, f)
			}
		}
		if body.NextToken == "" || used[body.NextToken] {
			return tickets(found), nil
		}
		used[body.NextToken] = true
		query = url.Values{"nextToken": {body.NextToken}} // must be the only parameter
	}
	return nil, fault.New(fault.Temporary, "amazon %s: the list does not end", opGetFeeds)
}

// of reports whether a feed can be one of a lane and site. Amazon may leave the sites out.
func (f feed) of(l lane, site string) bool {
	return f.FeedID != "" && strings.EqualFold(f.FeedType, l.feedType) &&
		(len(f.MarketplaceIDs) == 0 || slices.Contains(f.MarketplaceIDs, site))
}

func tickets(found []feed) []string {
	slices.SortStableFunc(found, func(x, y feed) int { return x.CreatedTime.Compare(y.CreatedTime.Time) })
	ids := make([]string, 0, len(found))
	for _, f := range found {
		if !slices.Contains(ids, f.FeedID) {
			ids = append(ids, f.FeedID)
		}
	}
	return ids
}
