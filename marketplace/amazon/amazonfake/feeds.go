package amazonfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
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

func (s *Server) newDocument(contentType string) *fileDoc {
	s.serial++
	d := &fileDoc{id: fmt.Sprintf("amzn1.tortuga.fake.%06d", s.serial), contentType: contentType, made: s.now()}
	s.documents[d.id] = d
	return d
}

// address signs for a document; in process it names a host of its own, as Amazon does.
func (s *Server) address(c *call, d *fileDoc) string {
	base := "http://" + c.Host
	if c.URL.Scheme != "" {
		base = "https://tortuga.fake"
	}
	s.serial++
	sign := fmt.Sprintf("%08x-%06d", s.opt.Rand.Uint32(), s.serial)
	s.signed[sign] = signature{d.id, s.now().Add(urlLife)}
	return base + "/documents/" + d.id + "?" + url.Values{"X-Amz-Signature": {sign}, "X-Amz-Expires": {"300"}}.Encode()
}

type signature struct {
	document string
	ends     time.Time
}

func (s *Server) createFeedDocument(c *call) result {
	var b struct{ ContentType string }
	if json.Unmarshal(c.body, &b) != nil || b.ContentType == "" {
		return badInput("contentType is required")
	}
	d := s.newDocument(b.ContentType)
	return result{http.StatusCreated, map[string]string{"feedDocumentId": d.id, "url": s.address(c, d)}}
}

// presigned serves the storage behind the addresses.
func (s *Server) presigned(w http.ResponseWriter, req *http.Request) {
	body, err := readAll(req)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls["presigned."+req.Method]++
	sign, known := s.signed[req.URL.Query().Get("X-Amz-Signature")]
	d := s.documents[req.PathValue("id")]
	deny := func(status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
	}
	switch {
	case s.faults.Down || s.chance(s.faults.Unavailable):
		deny(http.StatusServiceUnavailable, "SlowDown")
	case err != nil || req.Header.Get("X-Amz-Access-Token") != "" || req.Header.Get("Authorization") != "":
		deny(http.StatusBadRequest, "InvalidRequest") // a token has no business here
	case !known || d == nil || sign.document != d.id || !s.now().Before(sign.ends):
		deny(http.StatusForbidden, "AccessDenied")
	case req.Method == http.MethodPut && (req.Header.Get("Content-Type") != d.contentType || d.contentType == ""):
		deny(http.StatusForbidden, "SignatureDoesNotMatch")
	case req.Method == http.MethodPut:
		d.body, d.uploaded = body, true
		w.WriteHeader(http.StatusOK)
	default:
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(d.body)
	}
	if s.chance(s.faults.Lost) {
		w.(*reply).lost = true
	}
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
