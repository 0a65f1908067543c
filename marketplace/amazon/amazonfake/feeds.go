package amazonfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	typeAcknowledgement = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
	typeAdjustment      = "POST_PAYMENT_ADJUSTMENT_DATA"
	urlLife             = 5 * time.Minute
	documentLife        = 48 * time.Hour
	feedsShown          = 90 * 24 * time.Hour
)

// fileDoc is a document behind presigned addresses.
type fileDoc struct {
	id, contentType string
	body            []byte
	gzip, uploaded  bool
	made            time.Time
}

type feed struct {
	id, kind, document, result string
	sites                      []string
	created                    time.Time
	status                     string
	fate                       Fate
	messages                   int
}

// Fate is what becomes of a feed that is not to end well.
type Fate struct {
	Status string // FATAL, CANCELLED, or IN_PROGRESS for good; empty: DONE
	Apply  int    // FATAL, IN_PROGRESS: how many messages take effect all the same
	Report string // cut, foreign, counts, none, bomb; empty: as it should be
}

// FateNext decides over the next feed that is handed in.
func (s *Server) FateNext(f Fate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fates = append(s.fates, f)
}

// Feed is a feed as it stands.
type Feed struct {
	ID, Type, Status string
	Sites            []string
	Created          time.Time
	Document         []byte // as uploaded
	Messages         int    // 0 before it was processed
}

// Feeds lists every feed handed in, oldest first.
func (s *Server) Feeds() []Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	var all []Feed
	for _, f := range s.feeds {
		all = append(all, Feed{f.id, f.kind, f.status, slices.Clone(f.sites), f.created, slices.Clone(s.documents[f.document].body), f.messages})
	}
	return all
}

func (s *Server) createFeed(c *call) result {
	var b struct {
		FeedType, InputFeedDocumentID string
		MarketplaceIDs                []string
	}
	if json.Unmarshal(c.body, &b) != nil || b.FeedType == "" || len(b.MarketplaceIDs) == 0 {
		return badInput("feedType, marketplaceIds and inputFeedDocumentId are required")
	}
	d := s.documents[b.InputFeedDocumentID]
	switch {
	case b.FeedType != typeAcknowledgement && b.FeedType != typeAdjustment:
		return badInput("feedType %s is not supported", b.FeedType)
	case d == nil || !s.now().Before(d.made.Add(documentLife)):
		return badInput("inputFeedDocumentId is invalid")
	case slices.ContainsFunc(b.MarketplaceIDs, func(id string) bool { return !slices.Contains(s.opt.Sites, id) }):
		return badInput("the seller does not take part in a marketplace named")
	}
	s.serial++
	f := &feed{id: strconv.Itoa(53347000000 + s.serial), kind: b.FeedType, document: d.id, sites: b.MarketplaceIDs, created: s.now(),
		status: "IN_QUEUE", fate: s.fate()}
	s.feeds = append(s.feeds, f)
	return result{http.StatusAccepted, map[string]string{"feedId": f.id}}
}

// fate is what was decided for the next feed, or chance.
func (s *Server) fate() Fate {
	if len(s.fates) > 0 {
		f := s.fates[0]
		s.fates = s.fates[1:]
		return f
	}
	switch {
	case s.chance(s.faults.FeedFatal):
		return Fate{Status: "FATAL", Apply: s.opt.Rand.IntN(3)}
	case s.chance(s.faults.FeedStuck):
		return Fate{Status: "IN_PROGRESS", Apply: s.opt.Rand.IntN(3)}
	case s.chance(s.faults.FeedDoubt):
		kinds := []string{"cut", "foreign", "counts", "none"}
		return Fate{Report: kinds[s.opt.Rand.IntN(len(kinds))]}
	}
	return Fate{}
}

func (s *Server) getFeedDocument(c *call) result {
	d := s.documents[c.PathValue("id")]
	if d == nil || !strings.HasPrefix(d.id, "amzn1.") {
		return refuse(http.StatusNotFound, "NotFound", "There is no such document.")
	}
	w := map[string]any{"feedDocumentId": d.id, "url": s.address(c, d)}
	if d.gzip {
		w["compressionAlgorithm"] = "GZIP"
	}
	return ok(w)
}
