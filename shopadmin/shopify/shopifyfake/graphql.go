package shopifyfake

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// parsed is a document that validated, or the complaint about it.
type parsed struct {
	doc *ast.QueryDocument
	err error
}

// parse validates a document once; the same text is not read twice.
func (s *Server) parse(text string) parsed {
	if p, ok := s.docs.Load(text); ok {
		return p.(parsed)
	}
	doc, errs := gqlparser.LoadQueryWithRules(s.schema, text, nil)
	p := parsed{doc: doc}
	if len(errs) > 0 {
		p = parsed{err: errs}
	}
	s.docs.Store(text, p)
	return p
}

// request is one GraphQL request.
type request struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables"`
	Operation string         `json:"operationName"`
}

// serveGraphQL answers one request: token, faults, validation, price, effect, answer.
func (s *Server) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	var req request
	if err != nil || json.Unmarshal(body, &req) != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"errors": "the request is not JSON"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[req.Operation]++
	s.ripen()
	if s.status != 0 {
		writeJSON(w, s.status, map[string]any{"errors": http.StatusText(s.status)})
		return
	}
	if !s.knows(r.Header.Get("X-Shopify-Access-Token")) {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"errors": "[API] Invalid API key or access token"})
		return
	}
	fault := s.draw(req.Operation)
	if fault.before() && s.failBefore(w, fault) {
		return
	}
	op, vars, err := s.prepare(req)
	if err != nil {
		writeJSON(w, http.StatusOK, map[string]any{"errors": invalid(err)})
		return
	}
	s.answer(w, op, vars, fault)
}

// failBefore acts out a fault that prevents the effect; false leaves it to the executor.
func (s *Server) failBefore(w http.ResponseWriter, f Fault) bool {
	switch f {
	case FaultTooMany:
		w.Header().Set("Retry-After", "2.0")
		writeJSON(w, http.StatusTooManyRequests, map[string]any{"errors": "Exceeded the rate limit"})
	case FaultUnavailable:
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"errors": "Service Unavailable"})
	case FaultLostBefore:
		panic(http.ErrAbortHandler)
	case FaultInternalBefore:
		writeJSON(w, http.StatusOK, map[string]any{"errors": []any{problem("Internal error. Looks like something went wrong on our end.", "INTERNAL_SERVER_ERROR", nil)}})
	case FaultInactive:
		writeJSON(w, http.StatusOK, map[string]any{"errors": []any{problem("The shop is inactive", "SHOP_INACTIVE", nil)}})
	default:
		return false
	}
	return true
}

// prepare validates the document and its variables and picks the operation.
func (s *Server) prepare(req request) (*ast.OperationDefinition, map[string]any, error) {
	p := s.parse(req.Query)
	if p.err != nil {
		return nil, nil, p.err
	}
	op := p.doc.Operations.ForName(req.Operation)
	if op == nil {
		return nil, nil, errors.New("no operation is named " + req.Operation)
	}
	vars, err := validator.VariableValues(s.schema, op, req.Variables)
	if err != nil {
		return nil, nil, err
	}
	for _, v := range op.VariableDefinitions {
		if err := s.oneOf(v.Type, vars[v.Variable]); err != nil {
			return nil, nil, err
		}
	}
	return op, vars, nil
}

// oneOf checks that inputs of which exactly one field may be set have it so, null counting as set.
func (s *Server) oneOf(t *ast.Type, v any) error {
	if list, ok := v.([]any); ok && t.Elem != nil {
		for _, e := range list {
			if err := s.oneOf(t.Elem, e); err != nil {
				return err
			}
		}
	}
	fields, ok := v.(map[string]any)
	def := s.schema.Types[t.Name()]
	if !ok || def == nil {
		return nil
	}
	if def.Directives.ForName("oneOf") != nil && len(fields) != 1 {
		return errors.New(def.Name + " takes exactly one field")
	}
	for _, f := range def.Fields {
		if err := s.oneOf(f.Type, fields[f.Name]); err != nil {
			return err
		}
	}
	return nil
}

// answer prices the operation, runs it and writes what it gave, unless the fault says otherwise.
func (s *Server) answer(w http.ResponseWriter, op *ast.OperationDefinition, vars map[string]any, fault Fault) {
	price := requested(op.SelectionSet, vars)
	if op.Operation == ast.Mutation {
		price += mutationCost
	}
	if price > maxQueryCost {
		writeJSON(w, http.StatusOK, map[string]any{"errors": []any{problem("Query cost exceeds the single query max cost", "MAX_COST_EXCEEDED", map[string]any{"cost": price})}})
		return
	}
	s.bucket.refill(s.cfg.Clock())
	if s.bucket.level < price || fault == FaultThrottled {
		if fault == FaultThrottled {
			s.bucket.level = min(s.bucket.level, max(0, price-s.bucket.rate))
		}
		writeJSON(w, http.StatusOK, map[string]any{"errors": []any{problem("Throttled", "THROTTLED", nil)},
			"extensions": map[string]any{"cost": map[string]any{"requestedQueryCost": price, "actualQueryCost": nil, "throttleStatus": s.bucket.status()}}})
		return
	}
	run := &run{server: s, vars: vars, fault: fault}
	data := run.root(op)
	spent := min(price, run.cost+map[bool]float64{true: mutationCost}[op.Operation == ast.Mutation])
	s.bucket.level -= spent
	out := map[string]any{"data": data, "extensions": map[string]any{"cost": map[string]any{"requestedQueryCost": price,
		"actualQueryCost": spent, "throttleStatus": s.bucket.status()}}}
	if len(run.errors) > 0 {
		out["errors"] = run.errors
	}
	switch fault {
	case FaultLost:
		panic(http.ErrAbortHandler)
	case FaultInternal:
		out = map[string]any{"data": nil, "errors": []any{problem("Internal error. Looks like something went wrong on our end.", "INTERNAL_SERVER_ERROR", nil)}}
	case FaultBadGateway:
		writeJSON(w, http.StatusBadGateway, map[string]any{"errors": "Bad Gateway"})
		return
	case FaultGarbage:
		_, _ = io.WriteString(w, "<html>") // nobody to tell when it cannot be written
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// problem is one top-level error.
func problem(message, code string, more map[string]any) map[string]any {
	ext := map[string]any{"code": code}
	for k, v := range more {
		ext[k] = v
	}
	return map[string]any{"message": message, "extensions": ext}
}

// invalid turns validation errors into the store's form.
func invalid(err error) []any {
	var list gqlerror.List
	if !errors.As(err, &list) {
		return []any{problem(err.Error(), "INVALID_VARIABLE", nil)}
	}
	var out []any
	for _, e := range list {
		out = append(out, problem(e.Message, "GRAPHQL_VALIDATION_FAILED", nil))
	}
	return out
}

// Calls returns how often each operation was asked for, refused and lost ones included.
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make(map[string]int, len(s.calls))
	for k, n := range s.calls {
		out[k] = n
	}
	return out
}

// stamp writes an instant the way Shopify does.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
