package shopifyfake

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func official(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("official material not found: no go.mod above this folder")
		}
		dir = up
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "models", "shopify"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("official %s not found at %s", filepath.Base(path), path)
	}
	return path
}

func TestSchemaIsPartOfTheOfficialOne(t *testing.T) {
	f, err := os.Open(official(t, "schema", "admin-2026-10.graphql.gz"))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	sdl, err := io.ReadAll(z)
	require.NoError(t, err)
	theirs, err := gqlparser.LoadSchema(&ast.Source{Name: "official", Input: string(sdl)})
	require.NoError(t, err)
	ours, err := gqlparser.LoadSchema(&ast.Source{Name: "own", Input: ownSDL})
	require.NoError(t, err)
	checked := 0
	for name, def := range ours.Types {
		if def.BuiltIn {
			continue
		}
		t.Run(name, func(t *testing.T) { sameType(t, def, theirs.Types[name]) })
		checked++
	}
	require.Greater(t, checked, 50)
	own, other := ours.Directives["idempotent"], theirs.Directives["idempotent"]
	require.Equal(t, other.Locations, own.Locations)
	require.Equal(t, other.Arguments.ForName("key").Type.String(), own.Arguments.ForName("key").Type.String())
}

func sameType(t *testing.T, own, other *ast.Definition) {
	require.NotNil(t, other, "the official schema has no type of this name")
	require.Equal(t, other.Kind, own.Kind)
	require.Equal(t, other.Directives.ForName("oneOf") != nil, own.Directives.ForName("oneOf") != nil, "oneOf")
	for _, i := range own.Interfaces {
		require.Contains(t, other.Interfaces, i)
	}
	for _, v := range own.EnumValues {
		require.NotNil(t, other.EnumValues.ForName(v.Name), "value %s", v.Name)
	}
	for _, f := range own.Fields {
		if len(f.Name) > 1 && f.Name[:2] == "__" {
			continue
		}
		o := other.Fields.ForName(f.Name)
		require.NotNil(t, o, "field %s", f.Name)
		require.Equal(t, o.Type.String(), f.Type.String(), "type of %s", f.Name)
		require.Equal(t, o.DefaultValue.String(), f.DefaultValue.String(), "default of %s", f.Name)
		for _, a := range f.Arguments {
			oa := o.Arguments.ForName(a.Name)
			require.NotNil(t, oa, "argument %s.%s", f.Name, a.Name)
			require.Equal(t, oa.Type.String(), a.Type.String(), "type of %s.%s", f.Name, a.Name)
			require.Equal(t, oa.DefaultValue.String(), a.DefaultValue.String(), "default of %s.%s", f.Name, a.Name)
		}
		if o.Type.NonNull && own.Kind == ast.InputObject {
			require.True(t, f.Type.NonNull)
		}
	}
	if own.Kind == ast.InputObject {
		for _, o := range other.Fields {
			if o.Type.NonNull && o.DefaultValue == nil {
				require.NotNil(t, own.Fields.ForName(o.Name), "required field %s", o.Name)
			}
		}
	}
}
