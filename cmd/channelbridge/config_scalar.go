package main

import (
	"encoding"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"channelbridge/internal/secret"
)

// scalar decodes a single value, references to the environment filled in.
func (d *decoder) scalar(n ast.Node, v reflect.Value, path string) {
	var text string
	switch s := n.(type) {
	case *ast.StringNode:
		text = s.Value
	case *ast.LiteralNode:
		text = s.Value.Value
	case ast.ScalarNode:
		text = s.GetToken().Value
	default:
		d.fault(path, "here stands a single value, not %s", kindOf(n))
		return
	}
	var missing []string
	if !d.literal {
		text, missing = expand(text, d.env)
	}
	for _, name := range missing {
		d.fault(path, "the environment variable %s is not set: set it, or write ${%s:-default}", name, name)
	}
	if len(missing) == 0 {
		d.text(text, v, path, nil)
	}
}

// text sets v from text.
func (d *decoder) text(text string, v reflect.Value, path string, enum []string) {
	if len(enum) > 0 && !slices.Contains(enum, text) {
		d.fault(path, "%q is not one of %s", text, strings.Join(enum, ", "))
		return
	}
	if s, ok := v.Addr().Interface().(*secret.Text); ok {
		*s = secret.New(text)
		if len(text) > 3 {
			d.secrets = append(d.secrets, text)
		}
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			d.fault(path, "%s", err)
		}
		if db, ok := u.(*databaseURL); ok && db.masked() != text && len(text) > 3 {
			d.secrets = append(d.secrets, text)
		}
		return
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		var i int64
		i, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(i)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	default:
		d.fault(path, "cannot be given as text")
	}
	if err != nil {
		d.fault(path, "%q is not a %s", text, kindName(v.Kind()))
	}
}

var reference = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^}]*)?\}`)

// expand fills in ${NAME} and ${NAME:-default}; $$ is one dollar sign. As in shells, the default
// also stands for a variable that is set and empty.
func expand(text string, env func(string) (string, bool)) (out string, missing []string) {
	out = reference.ReplaceAllStringFunc(text, func(ref string) string {
		if ref == "$$" {
			return "$"
		}
		m := reference.FindStringSubmatch(ref)
		value, ok := env(m[1])
		def, hasDef := strings.CutPrefix(m[2], ":-")
		switch {
		case ok && (value != "" || !hasDef):
			return value
		case hasDef:
			return def
		}
		missing = append(missing, m[1])
		return ""
	})
	return out, missing
}

func kindName(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "yes or no (true, false)"
	case reflect.Float64:
		return "number"
	}
	return "whole number"
}
