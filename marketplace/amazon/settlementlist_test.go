package amazon

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/fault"
	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
	"channelbridge/marketplace/amazon/internal/official"
)

// listed reads a listing to its end.
func listed(t testing.TB, r *rig, c marketplace.Cursor) (ids []string, next marketplace.Cursor) {
	t.Helper()
	for range 20 {
		p, err := r.Statements(t.Context(), c)
		require.NoError(t, err)
		for _, s := range p.Statements {
			ids = append(ids, s.ID)
		}
		if c = p.Next; !p.More {
			return ids, c
		}
	}
	t.Fatal("the listing does not end")
	return nil, c
}

func TestStatementsListEveryFinishedSettlement(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	want := map[string]bool{}
	for range 250 {
		want[r.fake.Publish(amazonfake.Settlement{}).Document] = true
		r.pass(time.Minute)
	}
	r.fake.Publish(amazonfake.Settlement{Status: "CANCELLED"})
	r.fake.Publish(amazonfake.Settlement{DoneIn: time.Hour})
	r.fake.SetFaults(amazonfake.Faults{ListTwice: 0.3})
	begun := r.now()
	ids, next := listed(t, r, marketplace.Cursor{})
	got := map[string]bool{}
	for _, id := range ids {
		got[id] = true
	}
	require.Equal(t, want, got)
	require.Equal(t, marketplace.Cursor{Since: begun.Add(-reportsLate)}, next)
	require.Zero(t, r.fake.Calls()["createReport"], "Amazon makes settlements by itself")
	for _, q := range r.sent {
		require.Equal(t, http.MethodGet, q.Method)
	}
}

func TestAPageOfStatementsIsOldestFirstAndNamesEachOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1, Faults: amazonfake.Faults{ListTwice: 1}})
	one := r.fake.Publish(amazonfake.Settlement{})
	r.pass(time.Hour)
	two := r.fake.Publish(amazonfake.Settlement{})
	p, err := r.Statements(t.Context(), marketplace.Cursor{})
	require.NoError(t, err)
	require.Equal(t, []marketplace.StatementRef{{ID: one.Document, MadeAt: start}, {ID: two.Document, MadeAt: start.Add(time.Hour)}}, p.Statements)
	require.False(t, p.More)
}

func TestASettlementThatTakesLongIsFoundByTheNextListing(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	late := r.fake.Publish(amazonfake.Settlement{DoneIn: 40 * time.Hour})
	r.pass(time.Hour)
	ids, next := listed(t, r, marketplace.Cursor{})
	require.Empty(t, ids)
	r.pass(40 * time.Hour)
	ids, _ = listed(t, r, next)
	require.Equal(t, []string{late.Document}, ids)
}

func TestAListingNeverAsksForMoreThanAmazonKeeps(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	for _, since := range []time.Time{{}, start.Add(-365 * 24 * time.Hour), start.Add(-reportsKept - time.Second)} {
		_, err := r.Statements(t.Context(), marketplace.Cursor{Since: since})
		require.NoError(t, err)
		require.Equal(t, stamp(start.Add(-reportsKept)), r.sent[len(r.sent)-1].URL.Query().Get("createdSince"))
	}
	_, err := r.Statements(t.Context(), marketplace.Cursor{Since: start.Add(-time.Hour)})
	require.NoError(t, err)
	require.Equal(t, stamp(start.Add(-time.Hour)), r.sent[len(r.sent)-1].URL.Query().Get("createdSince"))
	require.Equal(t, "100", r.sent[0].URL.Query().Get("pageSize"))
}

func TestSettlementsOfOtherSitesAreLeftToTheirOwnChannel(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1}, func(c *Config) { c.Sites = []string{usSite} })
	r.fake.Publish(amazonfake.Settlement{Sites: []string{"A2EUQ1WTGCTBG2"}})
	both := r.fake.Publish(amazonfake.Settlement{Sites: []string{"A2EUQ1WTGCTBG2", usSite}})
	unsaid := r.fake.Publish(amazonfake.Settlement{})
	ids, _ := listed(t, r, marketplace.Cursor{})
	require.ElementsMatch(t, []string{both.Document, unsaid.Document}, ids)
}

func TestAListingThatCannotGoOnBeginsAnewWithoutMovingTheWatermark(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	since := start.Add(-time.Hour)
	p, err := r.Statements(t.Context(), marketplace.Cursor{Since: since, Token: `{"begun":"2026-11-20T14:00:00Z","token":"ended"}`})
	require.NoError(t, err)
	require.Equal(t, marketplace.StatementPage{Next: marketplace.Cursor{Since: since}}, p)
	for _, token := range []string{"x", "{}", `{"token":"x"}`} {
		_, err = r.Statements(t.Context(), marketplace.Cursor{Since: since, Token: token})
		require.True(t, fault.Is(err, fault.Refused), "%v", err)
	}
	a := cannedAdapter(t, &canned{status: 200, body: `{"reports":[],"nextToken":"again"}`})
	p, err = a.Statements(t.Context(), marketplace.Cursor{Since: since})
	require.NoError(t, err)
	require.True(t, p.More)
	p, err = a.Statements(t.Context(), p.Next)
	require.NoError(t, err)
	require.Equal(t, marketplace.StatementPage{Next: marketplace.Cursor{Since: since}}, p, "a token that comes again ends the listing")
}

func TestListingStatementsKeepsTheOfficialPaceByItself(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	p := r.fake.Publish(amazonfake.Settlement{})
	var errs []error
	for range 12 {
		_, err := r.Statements(t.Context(), marketplace.Cursor{})
		errs = append(errs, err)
	}
	require.NoError(t, errs[9])
	require.True(t, fault.Is(errs[10], fault.Temporary), "%v", errs[10])
	require.Equal(t, 10, r.fake.Calls()["getReports"], "the eleventh was not sent")
	for range 16 {
		_, err := r.OpenStatement(t.Context(), p.Document)
		errs = append(errs, err)
	}
	require.True(t, fault.Is(errs[len(errs)-1], fault.Temporary))
	require.Equal(t, 15, r.fake.Calls()["getReportDocument"])
}

func TestTheSettlementOfWhatWasSoldAndRefundedIsFoundAndRead(t *testing.T) {
	t.Parallel()
	for _, packed := range []bool{false, true} {
		r := newRig(t, amazonfake.Options{Scale: -1})
		id := r.sold(t, 2)
		_, err := r.fake.RefundByHand(string(id))
		require.NoError(t, err)
		_, published := r.fake.SettleAs(amazonfake.Settlement{GZIP: packed}, amazonfake.Other("Previous Reserve Amount Balance", "12.00"))
		ids, _ := listed(t, r, marketplace.Cursor{})
		require.Equal(t, []string{published.Document}, ids)
		in, err := r.OpenStatement(t.Context(), ids[0])
		require.NoError(t, err)
		raw, err := io.ReadAll(in)
		require.NoError(t, err)
		require.NoError(t, in.Close())
		require.Equal(t, packed, bytes.HasPrefix(raw, []byte{0x1f, 0x8b}), "as Amazon made it")
		plain, err := unpack(raw, 1<<20)
		require.NoError(t, err)
		formats := r.StatementFormats()
		require.Len(t, formats, 1)
		require.True(t, formats[0].Detects(plain))
		got, err := readSettlement(bytes.NewReader(plain), nil)
		require.NoError(t, err)
		require.Equal(t, published.Settlement, got.heads[0].ID)
		sum := money.New(0, "USD")
		for _, m := range got.lines {
			sum, err = sum.Add(m.Amount)
			require.NoError(t, err)
			require.NotEqual(t, marketplace.Unclassified, m.Category, "%s %s", m.NativeType, m.NativeText)
			require.True(t, m.Order == id || m.Order == "")
		}
		require.Equal(t, got.heads[0].Paid, sum)
	}
}

// big is a document of several parts that does not repeat itself.
var big = sync.OnceValue(func() []byte {
	b := make([]byte, 2*partSize+partSize/2)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
})

func TestADocumentIsFetchedInPartsWhileItIsRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	p := r.fake.Publish(amazonfake.Settlement{File: big()})
	in, err := r.OpenStatement(t.Context(), p.Document)
	require.NoError(t, err)
	require.Equal(t, 1, r.fake.Calls()["presigned.GET"])
	r.pass(6 * time.Minute)
	got, err := io.ReadAll(in)
	require.NoError(t, err)
	require.True(t, bytes.Equal(big(), got))
	require.Equal(t, 2, r.fake.Calls()["getReportDocument"], "the first address had ended")
	require.NoError(t, in.Close())
	_, err = in.Read(make([]byte, 1))
	require.ErrorIs(t, err, fs.ErrClosed)

	exact := r.fake.Publish(amazonfake.Settlement{File: big()[:2*partSize]})
	in, err = r.OpenStatement(t.Context(), exact.Document)
	require.NoError(t, err)
	got, err = io.ReadAll(in)
	require.NoError(t, err)
	require.Len(t, got, 2*partSize)
}

func TestTroubleWithADocumentHasAClassAndTellsNoAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	p := r.fake.Publish(amazonfake.Settlement{File: big()})
	_, err := r.OpenStatement(t.Context(), "")
	require.True(t, fault.Is(err, fault.Refused), "%v", err)
	_, err = r.OpenStatement(t.Context(), "none")
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	in, err := r.OpenStatement(t.Context(), p.Document)
	require.NoError(t, err)
	r.fake.SetFaults(amazonfake.Faults{Down: true})
	_, err = io.ReadAll(in)
	require.True(t, fault.Is(err, fault.Temporary), "%v", err)
	require.NotContains(t, err.Error(), "Signature")
	r.fake.SetFaults(amazonfake.Faults{})
	_, err = io.ReadAll(in)
	require.NoError(t, err, "a reader goes on where it stopped")

	ctx, cancel := context.WithCancel(t.Context())
	in, err = r.OpenStatement(ctx, p.Document)
	require.NoError(t, err)
	cancel()
	_, err = io.ReadAll(in)
	require.Error(t, err)
}

// storage answers for the documents; everything else is the fake's.
type storage struct {
	*rig
	parts []func(*http.Request) *http.Response
}

func (s *storage) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.Contains(req.URL.Path, "/documents/amzn1") || strings.HasPrefix(req.URL.Path, "/reports") {
		return s.rig.RoundTrip(req)
	}
	next := s.parts[0]
	if len(s.parts) > 1 {
		s.parts = s.parts[1:]
	}
	return next(req), nil
}

func answerOf(status int, body string, head ...string) func(*http.Request) *http.Response {
	return func(req *http.Request) *http.Response {
		h := http.Header{}
		for i := 0; i+1 < len(head); i += 2 {
			h.Set(head[i], head[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: req}
	}
}

func TestPartsThatDoNotFitAreNeverPutTogether(t *testing.T) {
	t.Parallel()
	first := answerOf(206, "abc", "Content-Range", "bytes 0-2/6", "Etag", "x")
	for name, c := range map[string]struct {
		parts []func(*http.Request) *http.Response
		want  string // "": an error
	}{
		"two parts":                    {[]func(*http.Request) *http.Response{first, answerOf(206, "def", "Content-Range", "bytes 3-5/6", "Etag", "x")}, "abcdef"},
		"a storage that knows none":    {[]func(*http.Request) *http.Response{answerOf(200, "abcdef")}, "abcdef"},
		"the whole after a part":       {[]func(*http.Request) *http.Response{first, answerOf(200, "abcdef")}, ""},
		"the same part again":          {[]func(*http.Request) *http.Response{first}, ""},
		"a gap":                        {[]func(*http.Request) *http.Response{first, answerOf(206, "ef", "Content-Range", "bytes 4-5/6", "Etag", "x")}, ""},
		"another size":                 {[]func(*http.Request) *http.Response{first, answerOf(206, "def", "Content-Range", "bytes 3-5/7", "Etag", "x")}, ""},
		"another document":             {[]func(*http.Request) *http.Response{first, answerOf(206, "def", "Content-Range", "bytes 3-5/6", "Etag", "y")}, ""},
		"a part that says not what":    {[]func(*http.Request) *http.Response{answerOf(206, "abc")}, ""},
		"a part of nothing":            {[]func(*http.Request) *http.Response{first, answerOf(206, "", "Content-Range", "bytes 3-2/6", "Etag", "x")}, ""},
		"more than the document holds": {[]func(*http.Request) *http.Response{answerOf(206, "abcdefg", "Content-Range", "bytes 0-6/6")}, ""},
	} {
		r := newRig(t, amazonfake.Options{Scale: -1})
		p := r.fake.Publish(amazonfake.Settlement{})
		cfg := testConfig()
		cfg.HTTP.Transport, cfg.HTTP.Clock = &storage{r, c.parts}, r.now
		a, err := New(cfg)
		require.NoError(t, err)
		var got []byte
		in, err := a.OpenStatement(t.Context(), p.Document)
		if err == nil {
			got, err = io.ReadAll(in)
		}
		if c.want == "" {
			require.True(t, fault.Is(err, fault.Temporary), "%s: %v", name, err)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, string(got), name)
	}
}

func TestGetReportsVectors(t *testing.T) {
	t.Parallel()
	models := official.Load(t)
	for _, v := range models[opGetReports].Vectors() {
		p, err := cannedAdapter(t, &canned{status: v.Status, body: string(v.Response)}).Statements(t.Context(), marketplace.Cursor{Since: start})
		if v.Status != 200 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Empty(t, p.Statements, "reports of other types are not ours")
		require.True(t, p.More)
	}
	for _, v := range models[opGetReportDocument].Vectors() {
		c := &canned{status: v.Status, body: string(v.Response)}
		_, err := cannedAdapter(t, c).OpenStatement(t.Context(), "0356cf79-b8b0-4226-b4b9-0ee058ea5760")
		if v.Status != 200 {
			require.True(t, fault.Is(err, fault.Refused), "%v", err)
			continue
		}
		require.NoError(t, err)
	}
}
