package connector

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMentions(t *testing.T) {
	for _, c := range []struct {
		body, order string
		want        bool
	}{
		{`{"id":42}`, "gid://shopify/Order/42", true},
		{`{"id":42}`, "42", true},
		{`42`, "42", true},
		{`{"order":"gid://shopify/Order/42"}`, "gid://shopify/Order/42", true},
		{`{"id":421,"other":142,"it":42}`, "42", true},
		{`{"id":421,"other":142}`, "42", false},
		{`{"id":4242}`, "42", false},
		{`anything`, "", false},
		{`anything`, "gid://shopify/Order/", false},
		{``, "42", false},
	} {
		require.Equal(t, c.want, Mentions([]byte(c.body), c.order), "%s in %s", c.order, c.body)
	}
}

func FuzzMentions(f *testing.F) {
	f.Add([]byte(`{"id":42}`), "gid://shopify/Order/42")
	f.Fuzz(func(t *testing.T, body []byte, order string) {
		if Mentions(body, order) {
			require.True(t, Mentions(append(append([]byte(nil), body...), ' '), order), "more text takes no mention away")
		}
	})
}
