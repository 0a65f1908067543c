package shopify

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// official finds a file of the platform's published material beside the repository, and skips
// the test when it is not there.
func official(t testing.TB, parts ...string) string {
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

var (
	schemaOnce   sync.Once
	schemaLoaded *ast.Schema
	schemaErr    error
)

func officialSchema(t testing.TB) *ast.Schema {
	t.Helper()
	path := official(t, "schema", "admin-"+DefaultVersion+".graphql.gz")
	schemaOnce.Do(func() { schemaLoaded, schemaErr = loadSchema(path) })
	require.NoError(t, schemaErr)
	return schemaLoaded
}

func loadSchema(path string) (*ast.Schema, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	sdl, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return gqlparser.LoadSchema(&ast.Source{Name: "official", Input: string(sdl)})
}

func TestDocumentsPassTheOfficialSchema(t *testing.T) {
	schema := officialSchema(t)
	for _, d := range documents() {
		t.Run(d.name, func(t *testing.T) {
			doc, err := parser.ParseQuery(&ast.Source{Name: d.name, Input: d.text})
			require.NoError(t, err)
			require.Empty(t, validator.ValidateWithRules(schema, doc, nil))
			require.Len(t, doc.Operations, 1)
			require.Equal(t, d.name, doc.Operations[0].Name)
			require.Equal(t, d.mutation, doc.Operations[0].Operation == ast.Mutation)
		})
	}
}

// The topics are sent as enum values in a variable, which no document shows.
func TestTopicsAreOfficial(t *testing.T) {
	schema := officialSchema(t)
	values := schema.Types["WebhookSubscriptionTopic"].EnumValues
	for _, topic := range topics {
		require.NotNil(t, values.ForName(topic), topic)
	}
}
