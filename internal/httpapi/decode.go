package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// decode reads a request's body into the value pointed to. Its schema in the document decides
// what is allowed, so the document cannot promise something else. No body at all is {}.
func (s *Server) decode(c *call, schema string, into any) error {
	body, err := s.body(c)
	if err != nil {
		return err
	}
	return decode(s.schemas[schema], body, into)
}

func decode(schema *jsonschema.Schema, body []byte, into any) error {
	if len(body) == 0 {
		body = []byte("{}")
	}
	v, err := scan(body)
	if err != nil {
		return err
	}
	if err := schema.Validate(v); err != nil {
		return wrong(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		te, _ := errors.AsType[*json.UnmarshalTypeError](err)
		if te == nil {
			return newProblem("invalid_body", "It is not understood.", "See /v1/openapi.json for what is.")
		}
		return member("invalid_member", te.Field, "It has the wrong type.", "See /v1/openapi.json for the right one.")
	}
	return nil
}

func (s *Server) body(c *call) ([]byte, error) {
	r := c.Request()
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, s.cfg.Limits.MaxBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, newProblem("body_too_large", fmt.Sprintf("At most %d bytes are read.", s.cfg.Limits.MaxBody), "")
	}
	if err != nil {
		return nil, newProblem("invalid_body", "It did not arrive whole.", "Send the same request again.")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if len(b) > 0 && (err != nil || kind != "application/json") {
		return nil, newProblem("unsupported_media", "Bodies are application/json.", "Send Content-Type: application/json.")
	}
	return b, nil
}

// wrong names the member that a schema did not like. Of several the first by name is told.
func wrong(err error) error {
	ve, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return newProblem("invalid_body", "It is not understood.", "See /v1/openapi.json for what is.")
	}
	var all []*Problem
	leaves(ve, &all)
	return slices.MinFunc(all, func(a, b *Problem) int { return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Code, b.Code)) })
}

func leaves(e *jsonschema.ValidationError, all *[]*Problem) {
	for _, c := range e.Causes {
		leaves(c, all)
	}
	if len(e.Causes) > 0 {
		return
	}
	at := pathOf(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			*all = append(*all, member("unknown_member", join(at, name), "This member is not known here.", "Leave it out; see /v1/openapi.json for those that are."))
		}
	case *kind.Required:
		for _, name := range k.Missing {
			*all = append(*all, member("missing_member", join(at, name), "It has to be given.", ""))
		}
	case *kind.Type:
		*all = append(*all, member("invalid_member", at, fmt.Sprintf("It is of type %s and has to be %s.", k.Got, strings.Join(k.Want, " or ")), ""))
	default:
		*all = append(*all, member("invalid_member", at, "Its value is not allowed.", "See /v1/openapi.json for what is."))
	}
}

// pathOf writes lines[0].quantity.
func pathOf(location []string) string {
	path := ""
	for _, l := range location {
		if _, err := strconv.Atoi(l); err == nil && path != "" {
			path += "[" + l + "]"
		} else {
			path = join(path, l)
		}
	}
	return path
}
