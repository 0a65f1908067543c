package httpapi

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// operation is what the document says of one method of one address.
type operation struct {
	OperationID string
	Tags        []string
	Summary     string
	Security    []map[string][]string
	Parameters  []struct {
		Ref string `json:"$ref"`
	}
	RequestBody *struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
	Responses map[string]struct {
		Ref     string `json:"$ref"`
		Content map[string]json.RawMessage
	}
}

// takesJSON is false for a body that is a file.
func (op operation) takesJSON() bool {
	_, takes := op.RequestBody.Content["application/json"]
	return takes
}

type openapi struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas    map[string]json.RawMessage
		Parameters map[string]struct{ Name, In string }
	}
	raw      []byte
	paths    map[string]*regexp.Regexp
	compiler *jsonschema.Compiler
}

// published reads the document as it is served. Objects are closed, so that a member of an answer
// that the document does not know is found; the published one leaves room for later members.
var published = sync.OnceValue(func() *openapi {
	raw, err := document()
	if err != nil {
		panic(err)
	}
	d := &openapi{raw: raw, paths: map[string]*regexp.Regexp{}, compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(raw, d); err != nil {
		panic(err)
	}
	for p := range d.Paths {
		d.paths[p] = regexp.MustCompile("^" + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(p, "[^/:]+") + "$")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	closeObjects(doc)
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		panic(err)
	}
	return d
})

func closeObjects(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, open := v["additionalProperties"]; v["type"] == "object" && v["properties"] != nil && !open {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closeObjects(x)
		}
	case []any:
		for _, x := range v {
			closeObjects(x)
		}
	}
}

var compiling sync.Mutex

// contract holds one answer against the document.
func contract(t require.TestingT, req *http.Request, w *httptest.ResponseRecorder) {
	d := published()
	require.Regexp(t, `^"(token|peer)";q=[0-9]+;w=60$`, w.Header().Get("RateLimit-Policy"))
	require.Regexp(t, `^"(token|peer)";r=[0-9]+;t=[0-9]+$`, w.Header().Get("RateLimit"))
	path, found := d.address(req.URL.EscapedPath())
	op, offered := d.Paths[path][strings.ToLower(req.Method)]
	if !found || !offered {
		require.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusTooManyRequests}, w.Code)
		d.valid(t, "/components/schemas/Problem", w.Body.Bytes())
		return
	}
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	kind, _, _ := mime.ParseMediaType(w.Header().Get("Content-Type"))
	answer, listed := op.Responses[strconv.Itoa(w.Code)]
	if !listed {
		answer, listed = op.Responses["default"]
		require.True(t, listed && w.Code >= 400, "%s %s answers %d, which the document does not know: %s", req.Method, path, w.Code, w.Body)
	}
	if answer.Ref != "" {
		require.Equal(t, "#/components/responses/Problem", answer.Ref)
		require.Equal(t, "application/problem+json", kind)
		d.valid(t, "/components/schemas/Problem", w.Body.Bytes())
		return
	}
	if len(answer.Content) == 0 {
		require.Empty(t, w.Body.Bytes())
		return
	}
	require.Contains(t, answer.Content, kind)
	if kind != "application/json" {
		return // a file, which no schema describes
	}
	where := []string{"paths", path, strings.ToLower(req.Method), "responses", strconv.Itoa(w.Code), "content", kind, "schema"}
	pointer := ""
	for _, p := range where {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(p)
	}
	d.valid(t, pointer, w.Body.Bytes())
}

func (d *openapi) valid(t require.TestingT, pointer string, body []byte) {
	compiling.Lock()
	s, err := d.compiler.Compile("openapi.json#" + pointer)
	compiling.Unlock()
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err, string(body))
	require.NoError(t, s.Validate(v), string(body))
}

// address finds which address of the document a path is.
func (d *openapi) address(path string) (string, bool) {
	path = strings.TrimPrefix(path, "/v1")
	for p, re := range d.paths {
		if re.MatchString(path) {
			return p, true
		}
	}
	return "", false
}

func TestTheDocumentIsValid(t *testing.T) {
	d := published()
	require.Equal(t, "3.1.0", d.OpenAPI)
	for name := range d.Components.Schemas {
		d.compiler.MustCompile("openapi.json#/components/schemas/" + name)
	}
	for _, ref := range regexp.MustCompile(`"\$ref": ?"#/([^"]+)"`).FindAllStringSubmatch(string(d.raw), -1) {
		var at any
		require.NoError(t, json.Unmarshal(d.raw, &at))
		for _, part := range strings.Split(ref[1], "/") {
			at = at.(map[string]any)[part]
			require.NotNil(t, at, "%s leads nowhere", ref[0])
		}
	}
}

// Every route stands in the document with its scope and its body, and the document has no others.
func TestTheDocumentAgreesWithTheRoutes(t *testing.T) {
	r := newRig(t)
	d, seen := published(), map[string]bool{"GET /openapi.json": true}
	ids := map[string]bool{}
	for _, route := range r.server.routes() {
		path := documented(route.path)
		op, there := d.Paths[path][strings.ToLower(route.method)]
		require.True(t, there, "%s %s is not in the document", route.method, path)
		seen[route.method+" "+path] = true
		require.Equal(t, []map[string][]string{{"bearer": {route.scope}}}, op.Security, path)
		require.Contains(t, Scopes, route.scope)
		require.NotEmpty(t, op.Summary)
		require.False(t, ids[op.OperationID], op.OperationID)
		ids[op.OperationID] = true
		require.Equal(t, route.method == http.MethodPost, op.RequestBody != nil, path)
		_, takesOn := op.Responses["202"]
		require.Equal(t, route.location != nil, takesOn, path)
		for _, name := range regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(path, -1) {
			require.True(t, d.has(op, "path", name[1]), "%s lacks the parameter %s", path, name[1])
		}
		require.Equal(t, route.method != http.MethodGet, d.has(op, "header", "Idempotency-Key"), path)
	}
	for path, ops := range d.Paths {
		for method := range ops {
			require.True(t, seen[strings.ToUpper(method)+" "+path], "%s %s is in the document only", method, path)
		}
	}
	used := map[string]bool{}
	for _, ops := range d.Paths {
		for _, op := range ops {
			if op.RequestBody != nil && op.takesJSON() {
				used[strings.TrimPrefix(op.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")] = true
			}
		}
	}
	for _, name := range bodies {
		require.True(t, used[name], name)
	}
	require.Len(t, used, len(bodies))
}

// documented is a route's path as the document writes it: parameters in braces, and other colons
// without the backslash the router wants.
func documented(path string) string {
	return regexp.MustCompile(`\\?:[a-z]+`).ReplaceAllStringFunc(path, func(s string) string {
		if plain, ok := strings.CutPrefix(s, `\`); ok {
			return plain
		}
		return "{" + s[1:] + "}"
	})
}

func (d *openapi) has(op operation, in, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p struct {
		Ref string `json:"$ref"`
	}) bool {
		q := d.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
		return q.In == in && q.Name == name
	})
}

// Every parameter the document names is taken, and nothing else is.
func TestTheDocumentAgreesWithTheParameters(t *testing.T) {
	r := newRig(t)
	d := published()
	fill := strings.NewReplacer("{channel}", "am", "{id}", "am", "{row}", "1", "{entry}", "1")
	for path, ops := range d.Paths {
		op, get := ops["get"]
		if !get || path == "/openapi.json" {
			continue
		}
		for _, p := range op.Parameters {
			q := d.Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
			if q.In == "query" && q.Name != "cursor" {
				value := map[string]string{"limit": "7", "held": "true"}[q.Name]
				a := r.get(fill.Replace(path) + "?" + q.Name + "=" + value)
				require.NotEqual(t, http.StatusBadRequest, a.Code, "%s?%s: %s", path, q.Name, a.Body)
			}
		}
		p := r.get(fill.Replace(path)+"?statee=unknown").problem(http.StatusBadRequest, wrongParameter(op))
		require.Equal(t, "statee", p.Member)
	}
}

// wrongParameter is the code of a parameter that is wrong.
func wrongParameter(op operation) string {
	if slices.Contains(op.Tags, "payouts") {
		return "bad_parameter"
	}
	return "invalid_parameter"
}

// Which schema a write's body is held against is the one the document names for it.
func TestTheDocumentAgreesWithTheBodies(t *testing.T) {
	r := newRig(t)
	d := published()
	fill := strings.NewReplacer("{channel}", "am", "{id}", "am", "{row}", "1", "{entry}", "1")
	for path, ops := range d.Paths {
		op, post := ops["post"]
		if !post || !op.takesJSON() {
			continue
		}
		name := strings.TrimPrefix(op.RequestBody.Content["application/json"].Schema.Ref, "#/components/schemas/")
		var schema struct {
			Properties map[string]struct{ Type string }
			Required   []string
		}
		require.NoError(t, json.Unmarshal(d.Components.Schemas[name], &schema))
		for member := range schema.Properties {
			p := r.post(fill.Replace(path), `{"`+member+`": [[]]}`)
			require.Equal(t, http.StatusBadRequest, p.Code, "%s %s", path, member)
			require.NotContains(t, p.Body.String(), "unknown_member", "%s: %s", path, member)
		}
		p := r.post(fill.Replace(path), `{"surprise": 1}`).is(http.StatusBadRequest)
		require.Contains(t, []string{"unknown_member", "missing_member"}, codeOf(p))
	}
}

func codeOf(a answer) string {
	var p Problem
	a.into(&p)
	return p.Code
}

func TestTheDocumentIsServedToEverybody(t *testing.T) {
	r := newRig(t)
	a := r.send(request(http.MethodGet, "/openapi.json", "", "")).is(http.StatusOK)
	require.Equal(t, string(published().raw), a.Body.String())
	require.True(t, json.Valid(a.Body.Bytes()))
}

// The page for people names every code and every scope, and its bodies are understood.
func TestThePageForPeopleIsComplete(t *testing.T) {
	raw, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	page := string(raw)
	for code := range titles {
		if code != "refused" { // always stands for a more exact one
			require.Contains(t, page, "`"+code+"`")
		}
	}
	for code := range hints {
		require.Contains(t, page, "| `"+code+"` |")
	}
	for _, scope := range Scopes {
		require.Contains(t, page, "| `"+scope+"` |")
	}
	r := newRig(t)
	for _, m := range regexp.MustCompile(`(?s)\$BRIDGE/v1(/[^"]+)" *(?:\\\n *)?-d '([^']+)'`).FindAllStringSubmatch(page, -1) {
		require.NotEqual(t, http.StatusBadRequest, r.post(m[1], m[2]).Code, m[0])
	}
	for _, m := range regexp.MustCompile(`curl -H "[^"]+" "\$BRIDGE/v1(/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.NotEqual(t, http.StatusBadRequest, r.get(m[1]).Code, m[0])
	}
}
