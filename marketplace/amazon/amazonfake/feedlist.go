package amazonfake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (f *feed) wire() map[string]any {
	w := map[string]any{"feedId": f.id, "feedType": f.kind, "marketplaceIds": f.sites, "createdTime": stamp(f.created), "processingStatus": f.status}
	if f.result != "" {
		w["resultFeedDocumentId"] = f.result
	}
	return w
}

func (s *Server) getFeed(c *call) result {
	for _, f := range s.feeds {
		if f.id == c.PathValue("id") {
			return ok(f.wire())
		}
	}
	return refuse(http.StatusNotFound, "NotFound", "There is no such feed.")
}

// getFeeds lists newest first; further pages are asked for with the token alone.
func (s *Server) getFeeds(c *call) result {
	q := c.URL.Query()
	if token := q.Get("nextToken"); token != "" {
		state, known := s.feedPages[token]
		if !known || len(q) > 1 {
			return badInput("nextToken is invalid or not the only parameter")
		}
		return s.feedPage(state)
	}
	if len(list(q, "feedTypes")) == 0 {
		return badInput("feedTypes or nextToken is required")
	}
	since := s.now().Add(-feedsShown)
	if text := q.Get("createdSince"); text != "" {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return badInput("createdSince is not a date-time")
		}
		since = t
	}
	size, _ := strconv.Atoi(q.Get("pageSize"))
	state := feedPage{size: 10}
	if size > 0 && size <= 100 {
		state.size = size
	}
	for _, f := range slices.Backward(s.feeds) {
		sites := list(q, "marketplaceIds")
		if slices.Contains(list(q, "feedTypes"), f.kind) && !f.created.Before(since) &&
			(len(sites) == 0 || slices.ContainsFunc(sites, func(id string) bool { return slices.Contains(f.sites, id) })) {
			state.rest = append(state.rest, f)
		}
	}
	return s.feedPage(state)
}

type feedPage struct {
	rest []*feed
	size int
}

func (s *Server) feedPage(p feedPage) result {
	now := p.rest
	answer := map[string]any{}
	if len(now) > p.size {
		now = p.rest[:p.size]
		s.serial++
		token := fmt.Sprintf("fp%06d", s.serial)
		s.feedPages[token] = feedPage{p.rest[p.size:], p.size}
		answer["nextToken"] = token
	}
	shown := make([]any, 0, len(now))
	for _, f := range now {
		shown = append(shown, f.wire())
	}
	answer["feeds"] = shown
	return ok(answer)
}
