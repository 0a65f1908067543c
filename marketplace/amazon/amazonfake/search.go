package amazonfake

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	settled   = 2 * time.Minute // bounds must lie at least this far back
	pageLife  = 24 * time.Hour
	pageLimit = 100
)

// pageState is what a page token stands for: the rest of a listing as it was found.
type pageState struct {
	params string // everything that must stay as it was
	rest   []wireOrder
	before string
	field  string
	ends   time.Time
}

var allSets = []string{"BUYER", "RECIPIENT", "PROCEEDS", "EXPENSE", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES",
	"TAX", "PAYMENT", "FULFILLMENT_ORDERS"}

// included reads includedData, and refuses what the faults forbid.
func (s *Server) included(q url.Values) (map[string]bool, *result) {
	sets := map[string]bool{}
	for _, name := range list(q, "includedData") {
		if !slices.Contains(allSets, name) {
			r := badInput("includedData %q is not valid", name)
			return nil, &r
		}
		if status := s.faults.RefuseData[name]; status != 0 {
			r := refuse(status, map[bool]string{true: "Unauthorized", false: "InvalidInput"}[status == http.StatusForbidden],
				"The data set %s cannot be included.", name)
			return nil, &r
		}
		sets[name] = true
	}
	if s.faults.NoPersonalData {
		delete(sets, "BUYER")
		delete(sets, "RECIPIENT")
	}
	return sets, nil
}

func list(q url.Values, name string) []string {
	if q.Get(name) == "" {
		return nil
	}
	return strings.Split(q.Get(name), ",")
}

func (s *Server) getOrder(c *call) result {
	sets, refused := s.included(c.URL.Query())
	if refused != nil {
		return *refused
	}
	if o := s.orders[c.PathValue("id")]; o != nil {
		if doc, seen := o.visible(s.now().Add(-s.faults.ReadLag)); seen {
			return ok(map[string]any{"order": doc.include(sets)})
		}
	}
	return refuse(http.StatusNotFound, "NotFound", "The order %s was not found.", c.PathValue("id"))
}

// visible returns the newest version that existed at an instant.
func (o *order) visible(at time.Time) (wireOrder, bool) {
	for _, v := range slices.Backward(o.versions) {
		if !v.at.After(at) {
			return v.doc, true
		}
	}
	return wireOrder{}, false
}

func (s *Server) searchOrders(c *call) result {
	q := c.URL.Query()
	sets, refused := s.included(q)
	if refused != nil {
		return *refused
	}
	size := pageLimit
	if text := q.Get("maxResultsPerPage"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > pageLimit {
			return badInput("maxResultsPerPage %q is not between 1 and %d", text, pageLimit)
		}
		size = n
	}
	state, refused := s.listing(q)
	if refused != nil {
		return *refused
	}
	answer := map[string]any{state.field: state.before}
	now := state.rest
	if len(now) > size {
		next := state
		now, next.rest = state.rest[:size], state.rest[size:]
		s.serial++
		token := fmt.Sprintf("pg%06d.%08x", s.serial, s.opt.Rand.Uint32())
		s.pages[token] = next
		answer["pagination"] = map[string]string{"nextToken": token}
	}
	orders := make([]wireOrder, 0, len(now))
	for _, o := range now {
		orders = append(orders, o.include(sets))
	}
	answer["orders"] = orders
	return ok(answer)
}

// listing goes on with a page token or begins a new listing.
func (s *Server) listing(q url.Values) (pageState, *result) {
	token := q.Get("paginationToken")
	fixed := url.Values{}
	for k, v := range q {
		if k != "paginationToken" && k != "maxResultsPerPage" && k != "includedData" {
			fixed[k] = v
		}
	}
	if token == "" {
		return s.find(q, fixed.Encode())
	}
	state, known := s.pages[token]
	switch {
	case !known || !s.now().Before(state.ends):
		r := badInput("paginationToken is invalid or has expired")
		return state, &r
	case state.params != fixed.Encode():
		r := badInput("the other parameters must be those of the first page")
		return state, &r
	}
	return state, nil
}

// find selects orders by one of the two pairs of bounds.
func (s *Server) find(q url.Values, params string) (pageState, *result) {
	bad := func(format string, args ...any) (pageState, *result) {
		r := badInput(format, args...)
		return pageState{}, &r
	}
	if q.Has("createdAfter") == q.Has("lastUpdatedAfter") {
		return bad("exactly one of createdAfter and lastUpdatedAfter is required")
	}
	family := "lastUpdated"
	if q.Has("createdAfter") {
		family = "created"
	}
	if q.Has("createdBefore") && family != "created" || q.Has("lastUpdatedBefore") && family == "created" {
		return bad("the bounds are not of one kind")
	}
	after, err := time.Parse(time.RFC3339, q.Get(family+"After"))
	if err != nil {
		return bad("%sAfter is not a date-time", family)
	}
	latest := s.now().Add(-settled).Truncate(time.Second)
	before := latest
	if text := q.Get(family + "Before"); text != "" {
		if before, err = time.Parse(time.RFC3339, text); err != nil {
			return bad("%sBefore is not a date-time", family)
		}
	}
	if before.After(latest) {
		return bad("%sBefore must be at least two minutes in the past", family)
	}
	if after.After(before) {
		return bad("%sAfter lies after %sBefore", family, family)
	}
	state := pageState{params: params, before: stamp(before), field: family + "Before", ends: s.now().Add(pageLife)}
	state.rest = s.match(q, family, after, before)
	return state, nil
}

func (s *Server) match(q url.Values, family string, after, before time.Time) []wireOrder {
	var all []wireOrder
	shown := s.now().Add(-s.faults.ListLag)
	within := func(names []string, v string) bool { return len(names) == 0 || slices.Contains(names, v) }
	key := func(w wireOrder) string {
		if family == "created" {
			return w.Created
		}
		return w.Updated
	}
	for _, id := range s.placed {
		doc, seen := s.orders[id].visible(shown)
		if !seen {
			continue
		}
		at, _ := time.Parse(time.RFC3339, key(doc))
		if at.Before(after) || at.After(before) || !within(list(q, "marketplaceIds"), doc.SalesChannel.Site) ||
			!within(list(q, "fulfillmentStatuses"), doc.Fulfillment.Status) || !within(list(q, "fulfilledBy"), doc.Fulfillment.By) {
			continue
		}
		all = append(all, doc)
	}
	slices.SortStableFunc(all, func(x, y wireOrder) int {
		a, _ := time.Parse(time.RFC3339, key(x))
		b, _ := time.Parse(time.RFC3339, key(y))
		return a.Compare(b)
	})
	return all
}
