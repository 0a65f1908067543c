package shopifyfake

import (
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxQueryCost is what one query may cost at most.
const maxQueryCost = 1000

// mutationCost is the base price of a mutation.
const mutationCost = 10

// bucket is the store's leaky bucket of cost points. The server's lock guards it.
type bucket struct {
	max, level, rate float64
	at               time.Time
}

func (b *bucket) refill(now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.level = min(b.max, b.level+b.rate*d.Seconds())
		b.at = now
	}
}

func (b *bucket) status() map[string]any {
	return map[string]any{"maximumAvailable": b.max, "currentlyAvailable": float64(int64(b.level)), "restoreRate": b.rate}
}

// requested prices a selection before it runs: an object costs a point, a list its length asked for.
func requested(set ast.SelectionSet, vars map[string]any) float64 {
	total := 0.0
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.InlineFragment:
			total += requested(sel.SelectionSet, vars)
		case *ast.FragmentSpread:
			total += requested(sel.Definition.SelectionSet, vars)
		case *ast.Field:
			if len(sel.SelectionSet) == 0 {
				continue
			}
			args := sel.ArgumentMap(vars)
			total += 1 + times(args)*requested(sel.SelectionSet, vars)
		}
	}
	return total
}

// times is how many entries a field with these arguments may return.
func times(args map[string]any) float64 {
	if n, ok := toInt(args["first"]); ok {
		return float64(n)
	}
	if ids, ok := args["ids"].([]any); ok {
		return float64(len(ids))
	}
	return 1
}

func toInt(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	}
	return 0, false
}
