package shopifyfake

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// obj is an object of the answer: plain values, objects, lists, or a field that needs arguments.
// "__typename" names its type.
type obj map[string]any

// field is a value that depends on the field's arguments. It may add to the run's errors.
type field func(r *run, args map[string]any) any

// refused is what a field gives instead of a value: an error at its place.
type refused struct {
	message, code string
	more          map[string]any
}

// run is the execution of one operation.
type run struct {
	server *Server
	vars   map[string]any
	fault  Fault
	field  *ast.Field // the one being answered
	cost   float64
	errors []any
}

// directive returns the arguments of a directive on the field being answered.
func (r *run) directive(name string) (map[string]any, bool) {
	d := r.field.Directives.ForName(name)
	if d == nil {
		return nil, false
	}
	return d.ArgumentMap(r.vars), true
}

// root runs the operation. Mutations run in the order written.
func (r *run) root(op *ast.OperationDefinition) map[string]any {
	top := r.server.queries()
	if op.Operation == ast.Mutation {
		top = r.server.mutations()
	}
	v, ok := r.project(op.SelectionSet, top, nil)
	if !ok {
		return nil
	}
	return v
}

// project answers exactly the selection. false: a field that must not be null is null, so the
// whole object is.
func (r *run) project(set ast.SelectionSet, o obj, path []any) (map[string]any, bool) {
	r.cost++
	out := map[string]any{}
	ok := r.collect(set, o, path, out)
	return out, ok
}

func (r *run) collect(set ast.SelectionSet, o obj, path []any, out map[string]any) bool {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.FragmentSpread:
			if r.applies(sel.Definition.TypeCondition, o) && !r.collect(sel.Definition.SelectionSet, o, path, out) {
				return false
			}
		case *ast.InlineFragment:
			if r.applies(sel.TypeCondition, o) && !r.collect(sel.SelectionSet, o, path, out) {
				return false
			}
		case *ast.Field:
			at := append(slices.Clone(path), sel.Alias)
			v, ok := r.value(sel, o, at)
			if !ok && sel.Definition.Type.NonNull {
				return false
			}
			out[sel.Alias] = join(out[sel.Alias], v)
		}
	}
	return true
}

// join merges what two selections of the same object gave.
func join(a, b any) any {
	x, ok := a.(map[string]any)
	y, both := b.(map[string]any)
	if !ok || !both {
		return b
	}
	for k, v := range y {
		x[k] = join(x[k], v)
	}
	return x
}

// applies reports whether a fragment on a type or interface fits the object.
func (r *run) applies(condition string, o obj) bool {
	if condition == "" || condition == o["__typename"] {
		return true
	}
	for _, t := range r.server.schema.PossibleTypes[condition] {
		if t.Name == o["__typename"] {
			return true
		}
	}
	return false
}

func (r *run) value(sel *ast.Field, o obj, path []any) (any, bool) {
	v, known := o[sel.Name]
	if !known {
		panic(fmt.Sprintf("shopifyfake: the schema has %s.%s, the store does not", sel.ObjectDefinition.Name, sel.Name))
	}
	if f, ok := v.(field); ok {
		r.field = sel
		v = f(r, sel.ArgumentMap(r.vars))
	}
	if no, ok := v.(refused); ok {
		e := problem(no.message, no.code, no.more)
		e["path"] = path
		r.errors = append(r.errors, e)
		return nil, false
	}
	return r.finish(sel, v, path)
}

// finish projects objects and lists of objects; everything else is a leaf.
func (r *run) finish(sel *ast.Field, v any, path []any) (any, bool) {
	switch v := v.(type) {
	case nil:
		return nil, !sel.Definition.Type.NonNull
	case obj:
		if v == nil {
			return nil, !sel.Definition.Type.NonNull
		}
		out, ok := r.project(sel.SelectionSet, v, path)
		if !ok {
			return nil, false
		}
		return out, true
	case []obj:
		list := make([]any, 0, len(v))
		for i, e := range v {
			if e == nil {
				list = append(list, nil)
				continue
			}
			out, ok := r.project(sel.SelectionSet, e, append(slices.Clone(path), i))
			if !ok && sel.Definition.Type.Elem.NonNull {
				return nil, false
			}
			if !ok {
				list = append(list, nil)
				continue
			}
			list = append(list, out)
		}
		return list, true
	}
	return v, true
}

// page cuts a list the way connections do; the cursor is a position.
func page(all []obj, args map[string]any) obj {
	from := 0
	if after, ok := args["after"].(string); ok {
		n, err := strconv.Atoi(decodeCursor(after))
		if err != nil {
			n = len(all)
		}
		from = min(n, len(all))
	}
	to := len(all)
	if first, ok := toInt(args["first"]); ok {
		to = min(to, from+first)
	}
	return connection(all[from:to], to < len(all), strconv.Itoa(to))
}

func connection(nodes []obj, more bool, end string) obj {
	var cursor any
	if len(nodes) > 0 {
		cursor = encodeCursor(end)
	}
	return obj{"nodes": nodes, "pageInfo": obj{"hasNextPage": more, "endCursor": cursor}}
}

// paged is a field that is a connection over a list.
func paged(all []obj) field {
	return func(_ *run, args map[string]any) any { return page(all, args) }
}

// head is a plain list with an argument first.
func head(all []obj) field {
	return func(_ *run, args map[string]any) any {
		if n, ok := toInt(args["first"]); ok && n < len(all) {
			return all[:n]
		}
		return all
	}
}

func encodeCursor(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func decodeCursor(s string) string {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}
