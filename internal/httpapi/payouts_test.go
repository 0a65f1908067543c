package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
)

func TestAPayoutFileIsImportedOnce(t *testing.T) { onEachStore(t, testAPayoutFileIsImportedOnce) }

func testAPayoutFileIsImportedOnce(r *rig) {
	t := r.T
	file := slip("ST-1", noon.Add(-time.Hour), "A", "principal", 5000, "A", "commission", -500, "", "mystery", -1)
	a := r.imports("am", file).is(http.StatusCreated)
	var got importedView
	a.into(&got)
	sum := sha256.Sum256([]byte(file))
	require.True(t, got.Fresh)
	require.Equal(t, hex.EncodeToString(sum[:]), got.Source.Hash)
	require.Equal(t, sourceView{got.Source.Hash, "am", "slip.csv", "api", "tests", "slips", int64(len(file)), noon}, got.Source)
	require.Equal(t, 1, got.Unclassified)
	require.Equal(t, "proven", got.Payout.Outcome)
	require.Equal(t, "4499", got.Payout.Paid)
	require.Equal(t, "/v1/payouts/"+got.Payout.ID, a.Header().Get("Location"))

	r.pass(time.Hour)
	var again importedView
	r.imports("am", file).is(http.StatusOK).into(&again)
	require.False(t, again.Fresh)
	require.Equal(t, got.Payout, again.Payout)
	require.Equal(t, []string{"tests"}, r.audited("payout"), "what changes nothing is not recorded")

	var other importedView
	r.imports("am", slip("ST-1", noon.Add(-time.Hour), "A", "principal", 5001)).is(http.StatusCreated).into(&other)
	require.Equal(t, 2, other.Payout.Revision)
	r.imports("eb", file).is(http.StatusCreated)
}

func TestAPayoutFileMayBeCompressed(t *testing.T) {
	r := newRig(t)
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, err := io.WriteString(w, slip("ST-1", noon, "A", "principal", 5000))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r.upload("/payouts:import?account=am&format=slips", &z).is(http.StatusCreated)
}

func TestABrokenPayoutFileIsKeptAndRejected(t *testing.T) {
	onEachStore(t, testABrokenPayoutFileIsKeptAndRejected)
}

func testABrokenPayoutFileIsKeptAndRejected(r *rig) {
	t := r.T
	file := slip("ST-1", noon, "A", "principal", 5000) + "B,principal,12O0,as it came\n"
	for range 2 {
		p := r.imports("am", file).problem(http.StatusUnprocessableEntity, "rejected_file")
		sum := sha256.Sum256([]byte(file))
		require.Equal(t, hex.EncodeToString(sum[:]), p.Hash)
		require.Equal(t, []any{3, "amount", "12O0", "is no amount"}, []any{p.Row, p.Column, p.Value, p.Reason})
		body, err := r.store.OpenSource(t.Context(), "am", p.Hash)
		require.NoError(t, err)
		kept, err := io.ReadAll(body)
		require.NoError(t, err)
		require.Equal(t, file, string(kept))
	}
	require.Empty(t, r.audited("payout"))
	var list struct{ Data []payoutView }
	r.get("/payouts").is(http.StatusOK).into(&list)
	require.Empty(t, list.Data, "nothing of it counts")
	p := r.imports("am", "something else").problem(http.StatusUnprocessableEntity, "rejected_file")
	require.Zero(t, p.Row)
	require.Contains(t, p.Reason, "none of this channel's forms")
	r.upload("/payouts:import?account=am&format=none", strings.NewReader("x")).problem(http.StatusUnprocessableEntity, "rejected_file")
}

func TestAPayoutFileThatDoesNotArriveIsNotKept(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.MaxFile = 2000 })
	broken := io.MultiReader(strings.NewReader("payout,"), iotest.ErrReader(io.ErrUnexpectedEOF))
	r.upload("/payouts:import?account=am", broken).problem(http.StatusBadRequest, "invalid_body")
	large := slip("ST-1", noon, "A", "principal", 1) + strings.Repeat("B,principal,0,x\n", 200)
	r.imports("am", large).problem(http.StatusRequestEntityTooLarge, "body_too_large")
	req := request(http.MethodPost, "/payouts:import?account=am", r.token, large)
	r.send(req).problem(http.StatusRequestEntityTooLarge, "body_too_large")
	kept, err := r.store.PayoutSources(t.Context(), "", 0)
	require.NoError(t, err)
	require.Empty(t, kept)
	r.imports("am", slip("ST-1", noon, "A", "principal", 1)).is(http.StatusCreated)
}

func TestAnImportSaysWhosePayoutItIs(t *testing.T) {
	r := newRig(t)
	for query, name := range map[string]string{"": "account", "account=": "account", "account=am&acount=x": "acount", "account=am&account=eb": "account", "account=am&name=%00": "name"} {
		p := r.upload("/payouts:import?"+query, strings.NewReader("x")).problem(http.StatusBadRequest, "bad_parameter")
		require.Equal(t, name, p.Member, query)
	}
	require.Equal(t, "account", r.imports("shop", "x").problem(http.StatusNotFound, "unknown_account").Member)
}

func TestPayoutsAreListed(t *testing.T) { onEachStore(t, testPayoutsAreListed) }

func testPayoutsAreListed(r *rig) {
	t := r.T
	for i := range 7 {
		r.pass(time.Minute)
		r.imports([]string{"am", "eb"}[i%2], slip(fmt.Sprint("ST-", i), noon, "A", "principal", 1000)).is(http.StatusCreated)
	}
	r.imports("am", strings.Replace(slip("ST-0", noon, "A", "principal", 1001), ",1001\n", ",1000\n", 1)).is(http.StatusCreated)
	number := func(m map[string]any) string { return fmt.Sprint(m["external_id"], "/", m["revision"]) }
	got, pages := r.all("/payouts", 3, number)
	require.Equal(t, []string{"ST-0/2", "ST-6/1", "ST-5/1", "ST-4/1", "ST-3/1", "ST-2/1", "ST-1/1"}, got)
	require.Equal(t, 3, pages)
	got, _ = r.all("/payouts?account=eb&state=paid", 2, number)
	require.Equal(t, []string{"ST-5/1", "ST-3/1", "ST-1/1"}, got)
	got, _ = r.all("/payouts?state=open", 2, number)
	require.Empty(t, got)
	var list struct{ Data []payoutView }
	r.get("/payouts?limit=2").is(http.StatusOK).into(&list)
	require.Equal(t, []string{"not_proven", "1", "proven", "0"}, []string{list.Data[0].Outcome, list.Data[0].Gap, list.Data[1].Outcome, list.Data[1].Gap})
	require.Equal(t, "state", r.get("/payouts?state=gone").problem(http.StatusBadRequest, "bad_parameter").Member)
	require.Equal(t, "limit", r.get("/payouts?limit=201").problem(http.StatusBadRequest, "bad_parameter").Member)
	require.Equal(t, "cursor", r.get("/payouts?cursor=x").problem(http.StatusBadRequest, "bad_parameter").Member)
	require.Equal(t, "account", r.get("/payouts?account=shop").problem(http.StatusNotFound, "unknown_account").Member)
}

func TestAPayoutIsShownWithItsBridge(t *testing.T) { onEachStore(t, testAPayoutIsShownWithItsBridge) }

func testAPayoutIsShownWithItsBridge(r *rig) {
	t := r.T
	r.someBooks()
	r.imports("am", slip("ST-78", noon, "A", "principal", 9)).is(http.StatusCreated)
	var list struct{ Data []payoutView }
	r.get("/payouts").is(http.StatusOK).into(&list)
	id := list.Data[1].ID
	var p payoutDetail
	r.get("/payouts/" + id).is(http.StatusOK).into(&p)
	require.Equal(t, list.Data[1], p.payoutView)
	require.Equal(t, []string{"750000", "700000", "-50000", "150000", "0"}, []string{p.Bridge.Paid, p.Bridge.Expected, p.Bridge.Variances["refund"], p.Bridge.NotInStore, p.Bridge.Gap})

	r.imports("am", slip("ST-77", noon, "A", "principal", 1)).is(http.StatusCreated)
	p = payoutDetail{}
	r.get("/payouts/" + id).is(http.StatusOK).into(&p)
	require.Nil(t, p.Bridge, "another revision counts now")
	require.False(t, p.Superseded.IsZero())
	require.Equal(t, "payout_id", r.get(reportOf+"payout_id="+id).problem(http.StatusBadRequest, "bad_parameter").Member)
	for _, path := range []string{"/payouts/po_none", "/payouts/1", "/payouts/po_none/lines", "/payouts/po_none/source"} {
		r.get(path).problem(http.StatusNotFound, "not_found")
	}
}

func TestTheLinesOfAPayoutAreListed(t *testing.T) { onEachStore(t, testTheLinesOfAPayoutAreListed) }

func testTheLinesOfAPayoutAreListed(r *rig) {
	t := r.T
	var lines []any
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("O%02d", i%10), "principal", i+1)
	}
	var got importedView
	r.imports("am", slip("ST-1", noon, lines...)).is(http.StatusCreated).into(&got)
	r.imports("am", slip("ST-2", noon, lines...)).is(http.StatusCreated)
	path := "/payouts/" + got.Payout.ID + "/lines"
	ids, pages := r.all(path, 6, text("line_id"))
	require.Equal(t, 4, pages)
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	require.Len(t, seen, 20)
	numbers, _ := r.all(path+"?order=O03", 1, text("line_no"))
	require.Equal(t, []string{"4", "14"}, numbers)
	numbers, _ = r.all(path+"?order=none", 5, text("line_no"))
	require.Empty(t, numbers)
}

func TestTheFileOfAPayoutComesBackAsItWas(t *testing.T) {
	onEachStore(t, testTheFileOfAPayoutComesBackAsItWas)
}

func testTheFileOfAPayoutComesBackAsItWas(r *rig) {
	t := r.T
	file := slip("ST-1", noon, "A", "principal", 1) + strings.Repeat("B,principal,0,\"\xff\x00 odd\"\r\n", 50_000)
	var got importedView
	r.imports("am", file).is(http.StatusCreated).into(&got)
	a := r.get("/payouts/" + got.Payout.ID + "/source").is(http.StatusOK)
	require.True(t, file == a.Body.String())
	require.Equal(t, "application/octet-stream", a.Header().Get("Content-Type"))
	require.Equal(t, got.Source.Hash, a.Header().Get("X-Content-SHA256"))
	require.Equal(t, `attachment; filename="`+got.Payout.ID+`.source"`, a.Header().Get("Content-Disposition"))
	require.Equal(t, "nosniff", a.Header().Get("X-Content-Type-Options"))
}

// leaky is a store whose files break off.
type leaky struct{ connector.Store }

func (l leaky) OpenSource(context.Context, connector.ConnectionID, string) (io.ReadCloser, error) {
	return io.NopCloser(io.MultiReader(strings.NewReader("payout"), iotest.ErrReader(errors.New("disk")))), nil
}

// A file that breaks off on its way is not taken for whole.
func TestAFileThatBreaksOffEndsTheConnection(t *testing.T) {
	r := newRig(t)
	var got importedView
	r.imports("am", slip("ST-1", noon, "A", "principal", 1)).is(http.StatusCreated).into(&got)
	r.books.store = leaky{r.store}
	srv := httptest.NewServer(r.http)
	t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/v1/payouts/"+got.Payout.ID+"/source", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := srv.Client().Do(req)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	require.Error(t, err)
}

// Files may take longer than the limits that suit other requests, over a real connection.
func TestASlowUploadIsWaitedFor(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.Answer = 50 * time.Millisecond })
	srv := httptest.NewUnstartedServer(r.http)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	srv.Start()
	t.Cleanup(srv.Close)
	in, out := io.Pipe()
	go func() {
		file := slip("ST-1", noon, "A", "principal", 1)
		for _, part := range []string{file[:10], file[10:]} {
			time.Sleep(100 * time.Millisecond)
			_, _ = io.WriteString(out, part)
		}
		_ = out.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/v1/payouts:import?account=am", in)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := srv.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusCreated, resp.StatusCode)
}

func TestWithoutPayoutsNothingAboutThemIsOffered(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Payouts = nil })
	for _, route := range r.server.payoutRoutes() {
		path := strings.NewReplacer(`\:`, ":", ":id", "po_1").Replace(route.path)
		body := ""
		if route.method == http.MethodPost {
			body = "{}"
		}
		r.send(request(route.method, path, r.token, body)).problem(http.StatusNotFound, "not_available")
		r.send(request(route.method, path, r.newToken("none", "orders:read"), body)).problem(http.StatusForbidden, "scope_missing")
	}
	r.get("/orders").is(http.StatusOK)
}
