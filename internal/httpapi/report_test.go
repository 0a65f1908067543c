package httpapi

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/connector"
	"channelbridge/connector/payout"
)

// someBooks is a payout with an order as expected, one whose refund was made at the marketplace
// alone, one that the store has never seen, and one that was not paid.
func (r *rig) someBooks() {
	r.Helper()
	r.knows("am", sold("A", 500000), sold("B", 200000), sold("D", 100000))
	r.imports("am", slip("ST-77", noon.Add(-2*time.Hour), "A", "principal", 500000, "B", "principal", 200000, "B", "refund_principal", -50000,
		"C", "principal", 150000, "", "advertising", -50000)).is(http.StatusCreated)
}

const year = "from=2026-01-01&to=2027-01-01"

func TestPayoutsAreReconciled(t *testing.T) { onEachStore(t, testPayoutsAreReconciled) }

func testPayoutsAreReconciled(r *rig) {
	r.someBooks()
	b := r.report(year)
	r.Run("R-147_payouts come from the marketplace's reports", func(t *testing.T) {
		require.Len(t, b.Summary, 1)
		require.Equal(t, "750000", b.Summary[0].Paid)
		require.Equal(t, 1, b.Summary[0].Payouts)
		require.Equal(t, "-50000", b.Summary[0].NonOrder["advertising"])
		require.Equal(t, "150000", b.Summary[0].NotInStore)
		require.Equal(t, "matched", b.row(t, "A")["outcome"])
		require.Equal(t, "missing_in_store", b.row(t, "C")["outcome"])
		require.Nil(t, b.row(t, "C")["expected"])
		require.Equal(t, "missing_in_settlement", b.row(t, "D")["outcome"])
	})
	r.Run("R-141_a refund made at the marketplace alone is listed as refund_mismatch", func(t *testing.T) {
		require.Equal(t, "refund_mismatch", b.row(t, "B")["outcome"])
		require.Equal(t, "-50000", b.row(t, "B")["difference"])
	})
	r.Run("R-139_a refund made in the store is in the report", func(t *testing.T) {
		back := sold("B", 200000)
		back.Refunds = []payout.Refund{{Ref: "R1", At: noon, Amount: 50000}}
		r.pass(time.Minute)
		r.knows("am", back)
		row := r.report(year).row(t, "B")
		require.Equal(t, "matched", row["outcome"])
		require.Equal(t, "-50000", row["expected"].(map[string]any)["refunds"])
		require.Equal(t, "-50000", row["actual"].(map[string]any)["refunds"])
	})
}

func TestAReportLeadsToTheLinesOfItsRows(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	links := r.report(year).row(t, "B")["links"].(map[string]any)
	var lines struct{ Data []payoutLineView }
	r.get(strings.TrimPrefix(links["lines"].(string), "/v1")).is(http.StatusOK).into(&lines)
	require.Len(t, lines.Data, 2)
	cause := r.report(year).row(t, "B")["causes"].([]any)[0].(map[string]any)
	require.Contains(t, cause["line_ids"], lines.Data[1].ID)
}

func TestEveryLevelIsAPageAndAFile(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	for level, rows := range map[string]int{"summary": 0, "payout": 1, "order": 4, "line": 5, "unsettled": 1} {
		b := r.report(year + "&level=" + level)
		require.Len(t, b.Rows, rows, level)
		require.Equal(t, level, b.Parameters["level"])
		a := r.get(reportOf + year + "&format=csv&level=" + level).is(http.StatusOK)
		require.Equal(t, `attachment; filename="payout-reconciliation-`+level+"-"+b.Snapshot+`.csv"`, a.Header().Get("Content-Disposition"))
		table, err := csv.NewReader(a.Body).ReadAll()
		require.NoError(t, err)
		if level != "summary" {
			require.Len(t, table, rows+1, level)
			require.Equal(t, b.Snapshot, table[1][1])
		}
		a = r.get(reportOf + year + "&format=ndjson&level=" + level).is(http.StatusOK)
		require.Equal(t, "application/x-ndjson", a.Header().Get("Content-Type"))
		require.Equal(t, max(rows, 1), strings.Count(a.Body.String(), "\n"), level)
		for line := range strings.Lines(a.Body.String()) {
			require.True(t, json.Valid([]byte(line)), line)
		}
	}
	p := r.report(year + "&level=payout").Rows[0]
	require.Equal(t, "proven", p["outcome"])
	require.EqualValues(t, 5, p["lines"])
	r.get("/payouts/" + p["payout_id"].(string)).is(http.StatusOK)
	require.Equal(t, p["payout_id"], r.report(year + "&level=line").Rows[0]["payout_id"])
}

func TestAcceptSaysWhichFormAReportHas(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	for accept, kind := range map[string]string{"": "application/json", "*/*": "application/json", "text/csv": "text/csv; charset=utf-8; header=present",
		"application/x-ndjson": "application/x-ndjson", "text/html, text/csv;q=0.9, */*;q=0.1": "text/csv; charset=utf-8; header=present",
		"application/json;q=0.5, application/x-ndjson": "application/x-ndjson", "image/png": "application/json", "text/csv;q=x": "application/json"} {
		req := request(http.MethodGet, reportOf+year, r.token, "")
		req.Header.Set("Accept", accept)
		a := r.send(req).is(http.StatusOK)
		require.Equal(t, kind, a.Header().Get("Content-Type"), accept)
		require.Equal(t, "Accept, Accept-Language", a.Header().Get("Vary"))
	}
	req := request(http.MethodGet, reportOf+year+"&format=json", r.token, "")
	req.Header.Set("Accept", "text/csv")
	require.Equal(t, "application/json", r.send(req).Header().Get("Content-Type"), "the parameter counts more")
}

func TestAnUnchangedReportIsNotSentAgain(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	first := r.get(reportOf + year)
	tag := first.Header().Get("ETag")
	var b reportBody
	first.into(&b)
	require.Equal(t, `"`+b.Snapshot+`"`, tag)
	ask := func(tags string) answer {
		req := request(http.MethodGet, reportOf+year, r.token, "")
		req.Header.Set("If-None-Match", tags)
		return r.send(req)
	}
	for _, tags := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		a := ask(tags).is(http.StatusNotModified)
		require.Equal(t, tag, a.Header().Get("ETag"))
		require.Empty(t, a.Body.String())
	}
	ask(`"other"`).is(http.StatusOK)
	r.knows("am", sold("E", 1000))
	require.NotEqual(t, tag, ask(tag).is(http.StatusOK).Header().Get("ETag"))
}

// What a filter hides still counts in the summary, so a change of it is a change of the report.
func TestAChangeOfTheSummaryAloneIsAChange(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	before := r.report(year + "&outcome=matched&category=commission")
	changed := sold("B", 210000)
	r.knows("am", changed)
	after := r.report(year + "&outcome=matched&category=commission")
	require.Equal(t, before.Rows, after.Rows)
	require.NotEqual(t, before.Summary, after.Summary)
	require.NotEqual(t, before.Snapshot, after.Snapshot)
}

func TestPagesOfAReportAgreeWhileTheDataChanges(t *testing.T) {
	onEachStore(t, testPagesOfAReportAgreeWhileTheDataChanges)
}

func testPagesOfAReportAgreeWhileTheDataChanges(r *rig) {
	t := r.T
	var lines []any
	for i := range 25 {
		id := fmt.Sprintf("O%02d", i)
		r.knows("am", sold(id, 10000))
		lines = append(lines, id, "principal", 10000-i)
	}
	r.imports("am", slip("ST-1", noon.Add(-time.Hour), lines...)).is(http.StatusCreated)
	first := r.report(year)
	for _, level := range []string{"order", "line"} {
		whole := r.report(year + "&limit=1000&level=" + level)
		query := year + "&limit=4&level=" + level
		page := r.report(query)
		summary, snapshot := page.Summary, page.Snapshot
		var seen []string
		for n := 0; ; n++ {
			for _, row := range page.Rows {
				seen = append(seen, fmt.Sprint(row["channel_order_id"], row["payout_id"], row["line_no"]))
			}
			require.Equal(t, summary, page.Summary)
			require.Equal(t, snapshot, page.Snapshot)
			if page.Next == "" {
				break
			}
			r.pass(time.Minute)
			r.knows("am", sold(fmt.Sprintf("N%s%d", level, n), 20000), sold(fmt.Sprintf("O%02d", n), 30000))
			r.imports("am", slip("ST-1"+level, noon.Add(-time.Hour), "O00", "principal", -n-1)).is(http.StatusCreated)
			page = r.report(query + "&cursor=" + page.Next)
		}
		slices.Sort(seen)
		require.Len(t, seen, len(slices.Compact(slices.Clone(seen))), "no row twice")
		require.Len(t, seen, len(whole.Rows), "none lost")
	}
	require.NotEqual(t, first.Snapshot, r.report(year).Snapshot)
}

func TestAFileOfACursorIsTheWholeSnapshot(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	page := r.report(year + "&limit=2")
	require.NotEmpty(t, page.Next)
	r.knows("am", sold("E", 1000))
	a := r.get(reportOf + year + "&format=csv&columns=snapshot_id,channel_order_id&cursor=" + page.Next).is(http.StatusOK)
	table, err := csv.NewReader(a.Body).ReadAll()
	require.NoError(t, err)
	require.Len(t, table, 1+4)
	require.Equal(t, []string{"snapshot_id", "channel_order_id"}, table[0])
	require.Equal(t, page.Snapshot, table[1][0])
	require.Equal(t, `"`+page.Snapshot+`"`, a.Header().Get("ETag"))
}

func TestACursorOfAReportServesOnlyWhatItWasMadeFor(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	page := r.report(year + "&limit=2")
	for _, query := range []string{"level=line", "sort=order", "account=am", "q=A", year + "&tz=UTC"} {
		p := r.get(reportOf+query+"&cursor="+page.Next).problem(http.StatusBadRequest, "bad_parameter")
		require.Equal(t, "cursor", p.Member)
	}
	r.get(reportOf+year+"&cursor=x"+page.Next).problem(http.StatusBadRequest, "bad_parameter")
	mine := r.token
	r.token = r.newToken("other", Scopes...)
	r.get(reportOf+year+"&cursor="+page.Next).problem(http.StatusBadRequest, "bad_parameter")
	r.token = mine
	r.report(year + "&limit=1&cursor=" + page.Next)
}

func TestASnapshotThatIsNotKeptAnyMoreIsGone(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	page := r.report(year + "&limit=2")
	made := r.books.made
	for range 3 {
		r.pass(reportsKept)
		r.report(year + "&limit=1&cursor=" + page.Next)
	}
	require.Equal(t, made, r.books.made, "a further page asks nobody")
	r.pass(reportsKept + time.Second)
	r.get(reportOf+year+"&cursor="+page.Next).problem(http.StatusGone, "snapshot_gone")

	page = r.report(year + "&limit=2")
	for i := range mostReports {
		r.report(year + "&limit=1&min_difference=" + fmt.Sprint(i+1))
		r.report(year + "&limit=1&q=" + "ABCD"[i%4:i%4+1])
	}
	r.report(year + "&limit=1&sort=order")
	for _, s := range []string{"due_at", "posted_at", "order"} {
		r.report(year + "&limit=1&level=line&sort=" + s)
		r.report(year + "&limit=1&level=line&basis=posted_at&sort=" + s)
	}
	r.get(reportOf+year+"&cursor="+page.Next).problem(http.StatusGone, "snapshot_gone")
	require.LessOrEqual(t, len(r.server.reports.all), mostReports)
}

func TestKeptReportsAreBoundedByTheirSize(t *testing.T) {
	sizes := map[string]int64{}
	big := func(name string, size int64) *payout.Report {
		sizes[name] = size
		return &payout.Report{Snapshot: name}
	}
	k := &keptReports{most: 100, size: func(r *payout.Report) int64 { return sizes[r.Snapshot] }}
	k.keep(big("a", 50), "", noon)
	k.keep(big("b", 50), "", noon)
	_, found := k.get("a", noon)
	require.True(t, found)
	k.keep(big("c", 1), "", noon)
	_, found = k.get("b", noon)
	require.False(t, found, "the longest unused goes")
	_, found = k.get("a", noon)
	require.True(t, found)
	k.keep(big("d", 101), "", noon)
	require.Len(t, k.all, 1, "the last stays, however large")
	again := big("d", 101)
	k.keep(again, "", noon)
	kept, _ := k.get("d", noon)
	require.Same(t, again, kept, "of equal reports the last stays")
	require.Len(t, k.all, 1)
}

func TestTheSameQuestionIsAnsweredFromTheSameReportWhileNothingChanges(t *testing.T) {
	onEachStore(t, testWarmReports)
}

func testWarmReports(r *rig) {
	t := r.T
	r.someBooks()
	makes := func(want int, query string) {
		t.Helper()
		before := r.books.made
		r.get(reportOf + query).is(http.StatusOK)
		require.Equal(t, want, r.books.made-before)
	}
	makes(1, year)
	makes(0, year)
	makes(0, year+"&level=line&format=csv")
	makes(1, year+"&q=A")
	r.does("B", "note", `{"note": "seen"}`)
	makes(1, year)
	makes(0, year)
	r.pass(reportsWarm)
	makes(1, year)
	r.pass(12*time.Hour - reportsWarm - time.Second - 7*time.Hour) // the last second of the day in the account's zone
	makes(1, year)
	r.pass(time.Second)
	makes(1, year) // an order is a day older
}

func TestAReportOfThePastSaysWhatWasKnownThen(t *testing.T) {
	onEachStore(t, testAReportOfThePastSaysWhatWasKnownThen)
}

func testAReportOfThePastSaysWhatWasKnownThen(r *rig) {
	t := r.T
	r.someBooks()
	then := r.clock()
	r.pass(time.Hour)
	past := reportOf + year + "&as_of=" + url.QueryEscape(then.Format(time.RFC3339))
	before := r.get(past).is(http.StatusOK).Body.String()
	csvBefore := r.get(past + "&format=csv").is(http.StatusOK).Body.String()
	r.knows("am", sold("B", 150000), sold("C", 150000), sold("E", 1))
	r.imports("am", slip("ST-77", noon, "A", "principal", 1)).is(http.StatusCreated)
	r.imports("am", slip("ST-78", noon, "B", "principal", 2)).is(http.StatusCreated)
	r.pass(40 * 24 * time.Hour)
	require.Equal(t, before, r.get(past).is(http.StatusOK).Body.String(), "byte for byte")
	require.Equal(t, csvBefore, r.get(past+"&format=csv").is(http.StatusOK).Body.String(), "byte for byte")
	require.NotEqual(t, before, r.get(reportOf+year).is(http.StatusOK).Body.String())
	b := r.report("as_of=" + url.QueryEscape(then.Format(time.RFC3339)))
	require.Equal(t, then, b.AsOf)
	require.Equal(t, "2026-02-28T17:00:00Z", b.Parameters["from"], "the month of that instant, in the accounts' zone")
	require.Equal(t, "2026-03-31T17:00:00Z", b.Parameters["to"])
}

func TestWithoutARangeAReportIsAboutTheCurrentMonthInTheZone(t *testing.T) {
	r := newRig(t)
	now := time.Date(2026, 2, 28, 18, 0, 0, 0, time.UTC) // already March in Vietnam
	r.now.Store(&now)
	require.Equal(t, "2026-02-28T17:00:00Z", r.report("").Parameters["from"])
	require.Equal(t, "Asia/Ho_Chi_Minh", r.report("").Parameters["tz"])
	require.Equal(t, "2026-02-01T00:00:00Z", r.report("tz=UTC").Parameters["from"])
	require.Nil(t, r.report("payout_id=ST-1").Parameters["from"])
	require.Nil(t, r.report("to=2026-03-01").Parameters["from"])
	require.Equal(t, "2026-02-28T17:00:00Z", r.report("to=2026-03-01").Parameters["to"])
	require.Equal(t, "2026-03-08T05:00:00Z", r.report("from=2026-03-08&tz=America/New_York").Parameters["from"], "before the clocks change")
	require.Equal(t, "2026-03-09T04:00:00Z", r.report("from=2026-03-09&tz=America/New_York").Parameters["from"], "after")
	require.Equal(t, "2026-01-01T02:00:00Z", r.report("from=2026-01-01T04:00:00%2B02:00").Parameters["from"])
	r.books.accounts[1].Zone = "Asia/Bangkok"
	require.Equal(t, "UTC", r.report("").Parameters["tz"], "the accounts have none in common")
	require.Equal(t, "Asia/Bangkok", r.report("account=eb").Parameters["tz"])
}

func TestAReportIsNarrowed(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	r.knows("eb", sold("A", 70000))
	r.imports("eb", slip("77", noon, "A", "principal", 70000)).is(http.StatusCreated)
	var list struct{ Data []payoutView }
	r.get("/payouts?account=eb").is(http.StatusOK).into(&list)
	own := list.Data[0].ID
	for query, want := range map[string]string{
		year: "A A B C D", year + "&account=eb": "A", year + "&channel=eb": "A", year + "&account=am&account=eb": "A A B C D", year + "&channel=am&account=eb": "A A B C D",
		"payout_id=ST-77": "A B C", "payout_id=" + own: "A", "payout_id=ST-77&payout_id=" + own: "A A B C", "payout_id=nothing": "",
		year + "&outcome=matched&account=am": "A", year + "&outcome=missing_in_store&outcome=refund_mismatch": "B C", year + "&cause=refund": "B",
		year + "&category=refund_principal": "B", year + "&min_difference=100000": "C D", year + "&q=gid-b": "B", year + "&q=st-77": "A B C",
		year + "&currency=USD": "", year + "&currency=USD&currency=VND&account=eb": "A", "from=2025-01-01&to=2026-01-01": "",
		year + "&level=unsettled": "D", "basis=order_placed_at&from=2026-02-01&to=2026-03-01": "A A B C D",
	} {
		if strings.HasPrefix(query, "basis") {
			want = "A A B D" // nobody knows when the other was placed
		}
		var got []string
		for _, row := range r.report(query).Rows {
			got = append(got, row["channel_order_id"].(string))
		}
		slices.Sort(got)
		require.Equal(t, want, strings.Join(got, " "), query)
	}
	sorted := r.report(year + "&sort=order&account=am")
	require.Equal(t, "A", sorted.Rows[0]["channel_order_id"])
	require.Equal(t, "C", r.report(year + "&account=am").Rows[0]["channel_order_id"], "the greatest difference first")
}

func TestParametersOfAReportThatAreWrongAreNamed(t *testing.T) {
	r := newRig(t)
	for query, name := range map[string]string{
		"surprise=1": "surprise", "locale=fr": "locale", "locale=VI": "locale", "locale=vi&locale=th": "locale", "workflow_state=gone": "workflow_state",
		"level=orders": "level", "sort=abs_difference": "sort", "basis=paid": "basis", "tz=Mars": "tz", "tz=Local": "tz", "tz=../etc/passwd": "tz",
		"from=yesterday": "from", "from=2026-13-01": "from", "to=2026-02-30": "to", "from=2026-03-01&to=2026-03-01": "to", "from=2026-03-02&to=2026-03-01": "to",
		"from=2026-01-01&from=2026-01-02": "from", "as_of=2026-03-01": "as_of", "as_of=2026-03-02T00:00:00Z": "as_of", "currency=vnd": "currency",
		"from=9999-12-31T23:59:59-14:00": "from", "from=0000-01-01T00:00:00%2B14:00": "from", "to=9999-12-31T23:00:00-01:00": "to", "to=0001-01-01": "to", "from=0001-01-01&tz=Asia/Bangkok": "from",
		"as_of=0001-01-01T00:00:00Z": "as_of", "as_of=0000-01-01T00:00:00%2B14:00": "as_of", "as_of=0001-01-01T07:00:00%2B07:00": "as_of",
		"outcome=fine": "outcome", "cause=luck": "cause", "category=gifts": "category", "min_difference=-1": "min_difference", "min_difference=1e3": "min_difference",
		"min_difference=0.5&currency=VND": "min_difference", "min_difference=9999999999999999999": "min_difference", "format=pdf": "format", "format=journal": "format", "format=journal-csv&columns=outcome": "columns", "format=journal-text&limit=5": "limit", "format=journal-csv&bom=1": "bom", "format=xlsx&columns=outcome": "columns", "format=xlsx&limit=5": "limit", "format=xlsx&bom=1": "bom",
		"columns=outcome,nothing": "columns", "columns=outcome,outcome": "columns", "columns=line_no": "columns", "bom=yes&format=csv": "bom", "bom=1": "bom",
		"delimiter=%09&format=csv": "delimiter", "delimiter=,&format=csv": "delimiter", "delimiter=%3B": "delimiter", "limit=0": "limit", "limit=1001": "limit", "limit=x": "limit",
		"limit=5&format=csv": "limit", "cursor=abc": "cursor", "q=%00": "q", "q=%ff": "q", "q=" + strings.Repeat("x", 601): "q", "payout_id=po_0": "payout_id", "q=%zz": "",
		strings.Repeat("outcome=matched&", 101): "outcome",
	} {
		p := r.get(reportOf+query).problem(http.StatusBadRequest, "bad_parameter")
		require.Equal(t, name, p.Member, query)
	}
	for query, name := range map[string]string{"account=none": "account", "channel=none": "channel", "account=am&account=shop": "account"} {
		p := r.get(reportOf+query).problem(http.StatusNotFound, "unknown_account")
		require.Equal(t, name, p.Member, query)
	}
	require.Zero(t, r.books.made)
	r.get(reportOf + "from=0001-01-02&to=9999-12-31T23:59:59Z&as_of=0001-01-02T00:00:00Z").is(http.StatusOK)
}

// What was chosen for an account since does not change what an earlier report rests on.
func TestAWorkbookOfThePastShowsTheSettingsOfThen(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	am := &r.books.accounts[0]
	about := func(query string) string {
		require.NoError(t, r.books.Desk().KeepSettings(t.Context(), *am))
		a := r.get(reportOf + "account=am&from=2026-01-01&to=2027-01-01&format=xlsx" + query).is(http.StatusOK)
		return unzipped(t, a.Body.Bytes())["xl/worksheets/sheet7.xml"]
	}
	am.Tol = map[string]payout.Tolerance{"VND": {Minor: 77}}
	require.Contains(t, about(""), "77 minor units")
	then := r.clock().Format(time.RFC3339)
	r.pass(time.Hour)
	am.Zone, am.Tol = "America/Los_Angeles", map[string]payout.Tolerance{"VND": {Minor: 88}}
	now := about("&tz=UTC")
	require.Contains(t, now, "America/Los_Angeles")
	require.Contains(t, now, "88 minor units")
	past := about("&tz=UTC&as_of=" + then)
	require.Contains(t, past, "Asia/Ho_Chi_Minh")
	require.Contains(t, past, "77 minor units")
	require.NotContains(t, past, "America/Los_Angeles")
	require.NotContains(t, past, "88 minor units")
}

func TestACSVSuitsASpreadsheetProgram(t *testing.T) {
	r := newRig(t)
	evil := sold("A", 500000)
	evil.Name = `=HYPERLINK("http://x")`
	thai := sold("B", 200000)
	thai.Name = "Trà đá 🍵 ชาเย็น"
	r.knows("am", evil, thai)
	r.imports("am", slip("@ST", noon.Add(-time.Hour), "A", "principal", 400000, "B", "principal", 200000)).is(http.StatusCreated)
	a := r.get(reportOf + year + "&format=csv&bom=1&delimiter=%3B&columns=store_order_name,difference,payout_external_ids,placed_at").is(http.StatusOK)
	require.Equal(t, "\ufeffstore_order_name;difference;payout_external_ids;placed_at\r\n"+
		`"'=HYPERLINK(""http://x"")";-100000;'@ST;2026-02-09T19:00:00+07:00`+"\r\n"+
		"Trà đá 🍵 ชาเย็น;0;'@ST;2026-02-09T19:00:00+07:00\r\n", a.Body.String())
	a = r.get(reportOf + year + "&format=csv&columns=placed_at&tz=UTC&q=%23nothing").is(http.StatusOK)
	require.Equal(t, "placed_at\r\n", a.Body.String(), "always a header")
	a = r.get(reportOf + year + "&format=csv&columns=placed_at&tz=UTC&q=gid-A").is(http.StatusOK)
	require.Equal(t, "placed_at\r\n2026-02-09T12:00:00Z\r\n", a.Body.String())
	b := r.report(year + "&columns=difference,outcome&q=gid-A")
	require.Equal(t, []map[string]any{{"difference": "-100000", "outcome": "amount_differs"}}, b.Rows)
}

func TestAWorkbookHasEveryLevelAndWhatItRestsOn(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	r.post("/tariffs", tariffRequest(strings.Replace(commission, "400", "0", 1))).is(http.StatusCreated)
	a := r.get(reportOf + year + "&tz=UTC&format=xlsx").is(http.StatusOK)
	snapshot := strings.Trim(a.Header().Get("ETag"), `"`)
	require.Equal(t, workbook, a.Header().Get("Content-Type"))
	require.Equal(t, `attachment; filename="payout-reconciliation-`+snapshot+`.xlsx"`, a.Header().Get("Content-Disposition"))
	parts := unzipped(t, a.Body.Bytes())
	for i, name := range []string{"Summary", "Payouts", "Orders", "Exceptions", "Lines", "Journal", "About"} {
		require.Contains(t, parts["xl/workbook.xml"], `name="`+name+`"`)
		rows := strings.Count(parts[fmt.Sprintf("xl/worksheets/sheet%d.xml", i+1)], "<row ")
		if name == "About" {
			require.Greater(t, rows, 1+7, "what it rests on, and what codes are called")
			continue
		}
		require.Equal(t, 1+map[string]int{"Summary": 10, "Payouts": 1, "Orders": 4, "Exceptions": 3, "Lines": 5, "Journal": 6}[name], rows, name)
	}
	require.Contains(t, parts["xl/worksheets/sheet3.xml"], "2026-02-09T12:00:00Z")
	about := parts["xl/worksheets/sheet7.xml"]
	for _, what := range []string{snapshot, "Asia/Ho_Chi_Minh", "commission"} {
		require.Contains(t, about, what)
	}
}

// unzipped reads the parts of a workbook.
func unzipped(t *testing.T, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	parts := map[string]string{}
	for _, f := range z.File {
		in, err := f.Open()
		require.NoError(t, err)
		all, err := io.ReadAll(in)
		require.NoError(t, err)
		parts[f.Name] = string(all)
	}
	return parts
}

// A file of many rows is written in parts, and has one header.
func TestALargeFileHasOneHeader(t *testing.T) {
	r := newRig(t)
	var lines []any
	for i := range 2*chunk + 7 {
		lines = append(lines, fmt.Sprintf("O%05d", i), "principal", 1000+i)
	}
	r.imports("am", slip("ST-1", noon.Add(-time.Hour), lines...)).is(http.StatusCreated)
	for _, level := range []string{"order", "line"} {
		a := r.get(reportOf + year + "&format=csv&level=" + level).is(http.StatusOK)
		table, err := csv.NewReader(a.Body).ReadAll()
		require.NoError(t, err)
		require.Len(t, table, 1+2*chunk+7)
		require.Equal(t, 2*chunk+7, strings.Count(r.get(reportOf+year+"&format=ndjson&level="+level).Body.String(), "\n"))
	}
}

func TestAJournalComesInEveryForm(t *testing.T) {
	r := newRig(t)
	r.someBooks()
	a := r.get(reportOf + year + "&format=journal-text").is(http.StatusOK)
	require.Contains(t, a.Header().Get("Content-Disposition"), ".ledger")
	require.Contains(t, a.Body.String(), "Assets:Bank")
	var journal journalView
	require.NoError(t, json.Unmarshal(r.get(reportOf+year+"&format=journal-json").is(http.StatusOK).Body.Bytes(), &journal))
	require.NotEmpty(t, journal.Entries)
	require.Equal(t, len(strings.Split(strings.TrimSpace(r.get(reportOf+year+"&format=journal-csv").is(http.StatusOK).Body.String()), "\r\n")), 1+postings(journal.Entries))
}

func postings(entries []payout.EntryJSON) (n int) {
	for _, e := range entries {
		n += len(e.Lines)
	}
	return n
}

// Numbers of two channels may be the same; an id of ours is one payout's.
func TestAnIdMeansOnePayoutWhateverOthersHaveItsNumber(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Limits.JobRows = 3 })
	for i, account := range []string{"am", "eb"} {
		for j, number := range []string{"1", "2"} {
			r.imports(account, slip(number, r.clock(), "", "advertising", -[]int{1, 10, 100, 1000}[2*i+j])).is(http.StatusCreated)
		}
	}
	id := func(account connector.ConnectionID, number string) string {
		return "payout_id=" + payout.ID(connector.Payout{Account: account, External: number, Revision: 1})
	}
	for query, paid := range map[string]string{
		id("am", "1"):                       "-1",
		id("am", "1") + "&" + id("eb", "2"): "-1001",
		id("am", "1") + "&" + id("eb", "1"): "-101",
		id("am", "1") + "&payout_id=2":      "-1011",
		"payout_id=1":                       "-101",
		id("eb", "2") + "&" + id("eb", "2"): "-1000",
	} {
		b := r.report(query)
		require.Equal(t, paid, b.Summary[0].Paid, query)
	}
	require.Equal(t, []any{"am/1"}, r.report(id("am", "1")).Parameters["payout_id"])
	r.get(reportOf + id("am", "1") + "&" + id("eb", "2") + "&format=csv").is(http.StatusOK)
	r.get(reportOf + "from=2026-01-01&to=2027-01-01&format=csv").is(http.StatusAccepted)
}
