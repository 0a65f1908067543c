package shopifyfake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// term is one condition of a search text, such as updated_at:>='2026-11-01T00:00:00Z'.
type term struct{ field, op, value string }

// search is a list of alternatives, each a list of conditions that must all hold.
type search [][]term

// parseSearch reads the part of Shopify's search syntax that the bridge uses: conditions with
// quoted values, joined by AND or OR. Anything else is an error here, where the real store would
// silently ignore it.
func parseSearch(q string) (search, error) {
	out := search{nil}
	for rest := strings.TrimSpace(q); rest != ""; rest = strings.TrimSpace(rest) {
		if after, ok := strings.CutPrefix(rest, "AND "); ok {
			rest = after
			continue
		}
		if after, ok := strings.CutPrefix(rest, "OR "); ok {
			rest, out = after, append(out, nil)
			continue
		}
		t, after, err := parseTerm(rest)
		if err != nil {
			return nil, err
		}
		out[len(out)-1] = append(out[len(out)-1], t)
		rest = after
	}
	return out, nil
}

func parseTerm(s string) (term, string, error) {
	name, rest, ok := strings.Cut(s, ":")
	if !ok || name == "" || strings.ContainsAny(name, " '") {
		return term{}, "", fmt.Errorf("search: no field at %q", s)
	}
	t := term{field: name}
	for _, op := range []string{">=", "<=", ">", "<"} {
		if after, ok := strings.CutPrefix(rest, op); ok {
			t.op, rest = op, after
			break
		}
	}
	rest, ok = strings.CutPrefix(rest, "'")
	if !ok {
		return term{}, "", fmt.Errorf("search: the value of %s is not quoted", name)
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		case rest[i] == '\'':
			t.value = b.String()
			return t, rest[i+1:], nil
		default:
			b.WriteByte(rest[i])
		}
	}
	return term{}, "", fmt.Errorf("search: the value of %s does not end", name)
}

func (s search) match(holds func(term) (bool, error), failed *error) bool {
	for _, all := range s {
		good := true
		for _, t := range all {
			ok, err := holds(t)
			if err != nil {
				*failed = err
			}
			good = good && ok
		}
		if good {
			return true
		}
	}
	return false
}

func unknownTerm(t term) error { return fmt.Errorf("search: unknown field %s%s", t.field, t.op) }

// searchOrders answers from the index, which lags; the orders themselves are shown as they are.
func (s *Server) searchOrders(_ *run, args map[string]any) any {
	q, _ := args["query"].(string)
	conditions, err := parseSearch(q)
	if err != nil {
		return refused{err.Error(), "BAD_REQUEST", nil}
	}
	if args["sortKey"] != "UPDATED_AT" {
		return refused{"the fake sorts by UPDATED_AT only", "BAD_REQUEST", nil}
	}
	var hits []indexed
	for _, e := range s.visible(conditions) {
		if conditions.match(func(t term) (bool, error) { return e.holds(t) }, &err) {
			hits = append(hits, e)
		}
	}
	if err != nil {
		return refused{err.Error(), "BAD_REQUEST", nil}
	}
	slices.SortFunc(hits, func(a, b indexed) int { return strings.Compare(a.key(), b.key()) })
	return s.cut(hits, args)
}

// cut pages by sort key, so that orders changed meanwhile do not shift the others.
func (s *Server) cut(hits []indexed, args map[string]any) any {
	if after, ok := args["after"].(string); ok {
		key := decodeCursor(after)
		if key == "" {
			return refused{"Invalid cursor for current pagination sort.", "BAD_REQUEST", nil}
		}
		hits = slices.DeleteFunc(hits, func(e indexed) bool { return e.key() <= key })
	}
	more := false
	if first, ok := toInt(args["first"]); ok && len(hits) > first {
		hits, more = hits[:first], true
	}
	nodes, end := []obj{}, ""
	for _, e := range hits {
		nodes, end = append(nodes, s.orderObj(s.order(e.order))), e.key()
	}
	return connection(nodes, more, end)
}

// visible is the newest entry of each order that the index shows by now, in no order. Those that
// cannot match because another source identifier is asked for are left out.
func (s *Server) visible(conditions search) []indexed {
	now, w := s.cfg.Clock(), &s.world
	w.index = slices.DeleteFunc(w.index, func(e indexed) bool {
		if e.from.After(now) {
			return false
		}
		if _, known := w.shown[e.order]; !known {
			w.sources[e.source] = append(w.sources[e.source], e.order)
		}
		w.shown[e.order] = e
		return true
	})
	source, ok := conditions.source()
	if !ok {
		return slices.Collect(maps.Values(w.shown))
	}
	var out []indexed
	for _, id := range w.sources[source] {
		out = append(out, w.shown[id])
	}
	return out
}

// source is the source identifier without which nothing matches.
func (s search) source() (string, bool) {
	if len(s) == 1 {
		for _, t := range s[0] {
			if t.field == "source_identifier" && t.op == "" {
				return t.value, true
			}
		}
	}
	return "", false
}

func (e indexed) key() string { return e.updated.Format(time.RFC3339) + "|" + e.order }

func (e indexed) holds(t term) (bool, error) {
	switch t.field + t.op {
	case "updated_at>=":
		at, err := time.Parse(time.RFC3339, t.value)
		return err == nil && !e.updated.Before(at), err
	case "source_identifier":
		return e.source == t.value, nil
	case "tag":
		return slices.ContainsFunc(e.tags, func(tag string) bool { return strings.EqualFold(tag, t.value) }), nil
	case "name":
		return e.name == t.value, nil
	}
	return false, unknownTerm(t)
}
