package amazonfake_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon"
	"channelbridge/marketplace/amazon/amazonfake"
)

const (
	reports  = "/reports/2021-06-30/reports"
	listV2   = reports + "?reportTypes=GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
	reportDs = "/reports/2021-06-30/documents/"
)

type reportList struct {
	Reports []struct {
		ReportID, ProcessingStatus, ReportDocumentID string
		CreatedTime                                  time.Time
	}
	NextToken string
}

func (b *bench) reports(t *testing.T, query string) reportList {
	t.Helper()
	status, text := b.do("GET", query, "")
	require.Equal(t, 200, status, text)
	var l reportList
	require.NoError(t, json.Unmarshal([]byte(text), &l))
	return l
}

func reportAnswers(b *bench, expect func(int, string, string, string) string) {
	p := b.Publish(amazonfake.Settlement{Sites: []string{us}, Start: b.now().Add(-time.Hour), End: b.now(), GZIP: true})
	b.Publish(amazonfake.Settlement{DoneIn: time.Hour})
	b.Publish(amazonfake.Settlement{Status: "FATAL"})
	expect(200, "GET", listV2, "")
	require.Contains(b.t, expect(200, "GET", listV2+"&pageSize=1&marketplaceIds="+us+"&processingStatuses=DONE", ""), p.Document)
	expect(400, "GET", reports, "")
	expect(400, "POST", reports, `{"reportType":"GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2","marketplaceIds":["`+us+`"]}`)
	require.Contains(b.t, expect(200, "GET", reportDs+p.Document, ""), "GZIP")
	expect(404, "GET", reportDs+"none", "")
}

func TestReportsAreListedNewestFirstInPagesWhoseTokenStandsAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour * 24})
	var made []string
	for range 5 {
		made = append(made, b.Publish(amazonfake.Settlement{}).Report)
		b.pass(time.Minute)
	}
	first := b.reports(t, listV2+"&pageSize=2")
	require.Equal(t, []string{made[4], made[3]}, []string{first.Reports[0].ReportID, first.Reports[1].ReportID})
	status, text := b.do("GET", listV2+"&nextToken="+first.NextToken, "")
	require.Equal(t, 400, status, text)
	second := b.reports(t, reports+"?nextToken="+first.NextToken)
	third := b.reports(t, reports+"?nextToken="+second.NextToken)
	require.Equal(t, made[2], second.Reports[0].ReportID)
	require.Equal(t, made[0], third.Reports[0].ReportID)
	require.Empty(t, third.NextToken)

	require.Len(t, b.reports(t, listV2+"&createdSince=2026-11-20T15:02:00Z&createdUntil=2026-11-20T15:03:30Z").Reports, 2)
	for _, bad := range []string{"&createdSince=yesterday", "&createdSince=2026-08-01T00:00:00Z", "&pageSize=101", "&pageSize=x"} {
		status, _ = b.do("GET", listV2+bad, "")
		require.Equal(t, 400, status, bad)
	}
	require.Empty(t, b.reports(t, reports+"?reportTypes=GET_ORDERS").Reports)
	b.SetFaults(amazonfake.Faults{ListTwice: 1})
	twice := b.reports(t, listV2+"&pageSize=3")
	require.Equal(t, twice.Reports[0].ReportID, twice.Reports[1].ReportID)
	require.Equal(t, twice.Reports[2].ReportID, b.reports(t, reports+"?nextToken="+twice.NextToken).Reports[0].ReportID, "over the edge of a page")
	b.pass(91 * 24 * time.Hour)
	require.Empty(t, b.reports(t, listV2).Reports, "kept for 90 days")
}

func TestAReportHasADocumentOnlyOnceItIsDone(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour * 24})
	late := b.Publish(amazonfake.Settlement{DoneIn: time.Hour})
	fatal := b.Publish(amazonfake.Settlement{Status: "FATAL"})
	for _, r := range b.reports(t, listV2).Reports {
		require.Empty(t, r.ReportDocumentID)
	}
	status, _ := b.do("GET", reportDs+late.Document, "")
	require.Equal(t, 404, status)
	b.pass(time.Hour)
	require.Len(t, b.reports(t, listV2+"&processingStatuses=DONE").Reports, 1)
	status, _ = b.do("GET", reportDs+late.Document, "")
	require.Equal(t, 200, status)
	status, _ = b.do("GET", reportDs+fatal.Document, "")
	require.Equal(t, 404, status)
}

func TestListingsOfReportsKeepTheOfficialPace(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{})
	p := b.Publish(amazonfake.Settlement{})
	for path, burst := range map[string]int{listV2: 10, reportDs + p.Document: 15} {
		for range burst {
			status, text := b.do("GET", path, "")
			require.Equal(t, 200, status, text)
		}
		status, _ := b.do("GET", path, "")
		require.Equal(t, 429, status, path)
	}
}

// fetch downloads a document, or a part of it.
func (b *bench) fetch(t *testing.T, document, part string) (int, []byte) {
	t.Helper()
	_, text := b.do("GET", reportDs+document, "")
	var d struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	req, err := http.NewRequest(http.MethodGet, d.URL, nil)
	require.NoError(t, err)
	if part != "" {
		req.Header.Set("Range", part)
	}
	resp, err := b.http.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, body
}

func TestDocumentsComeWholeInPartsAndCompressed(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour * 24})
	plain := b.Publish(amazonfake.Settlement{File: []byte("0123456789")})
	packed := b.Publish(amazonfake.Settlement{File: []byte("0123456789"), GZIP: true})
	status, body := b.fetch(t, plain.Document, "")
	require.Equal(t, 200, status)
	require.Equal(t, "0123456789", string(body))
	status, body = b.fetch(t, plain.Document, "bytes=3-5")
	require.Equal(t, 206, status)
	require.Equal(t, "345", string(body))
	_, body = b.fetch(t, packed.Document, "")
	z, err := gzip.NewReader(strings.NewReader(string(body)))
	require.NoError(t, err)
	body, err = io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(body))
}

// rows reads a document with the reader it is made for.
func (b *bench) rows(t *testing.T, document string) (st marketplace.Statement, rows []marketplace.Movement) {
	t.Helper()
	_, body := b.fetch(t, document, "")
	require.NoError(t, amazon.SettlementV2(nil).ReadStatement(strings.NewReader(string(body)),
		func(s marketplace.Statement) error { st = s; return nil },
		func(m marketplace.Movement) error { rows = append(rows, m); return nil }))
	return st, rows
}

func sumOf(t *testing.T, rows []marketplace.Movement, only ...marketplace.Category) money.Money {
	t.Helper()
	sum := money.New(0, "USD")
	for _, m := range rows {
		for _, c := range only {
			if m.Category == c {
				sum, _ = sum.Add(m.Amount)
			}
		}
		if len(only) == 0 {
			sum, _ = sum.Add(m.Amount)
		}
	}
	return sum
}

func TestASettlementHoldsEveryShippedUnitAndEveryRefundOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour * 24})
	id := b.Place(amazonfake.OrderSpec{TaxByAmazon: true, Alias: "#1001", Items: []amazonfake.ItemSpec{{ID: "I1", SKU: "A", Quantity: 3,
		UnitPrice: "10.00", Tax: "2.41", Shipping: "5.00", ShippingTax: "0.40", Discount: "1.00", ShippingDiscount: "0.50"}}})
	fba := b.Place(amazonfake.OrderSpec{Amazon: true, Items: []amazonfake.ItemSpec{{SKU: "F", UnitPrice: "20.00"}}})
	b.Place(amazonfake.OrderSpec{Site: "A2EUQ1WTGCTBG2"})
	b.Place(amazonfake.OrderSpec{})
	b.pass(time.Minute)
	ship := func(ref string, units int) {
		status, text := b.do("POST", "/orders/v0/orders/"+id+"/shipmentConfirmation", confirmBody(`"`+ref+`"`, "I1", units, b.now()))
		require.Equal(t, 204, status, text)
	}
	ship("1", 1)
	require.True(t, b.ShipByAmazon(fba))

	x, p := b.Settle("USD", amazonfake.Other("Subscription Fee", "-39.99"))
	st, rows := b.rows(t, p.Document)
	require.Equal(t, x.ID, st.ID)
	require.Equal(t, b.now().Truncate(time.Second), st.End)
	require.Equal(t, marketplace.StatementPaid, st.State)
	require.Equal(t, st.Paid, sumOf(t, rows))
	require.Equal(t, money.New(-3999, "USD"), sumOf(t, rows, marketplace.SubscriptionFee))
	require.Equal(t, money.New(1000+2000, "USD"), sumOf(t, rows, marketplace.Principal))
	require.Equal(t, money.New(-300, "USD"), sumOf(t, rows, marketplace.FulfilmentFee))
	require.Zero(t, sumOf(t, rows, marketplace.TaxCharged, marketplace.TaxByChannelCollected).Minor, "what Amazon collected it pays itself")
	require.Zero(t, sumOf(t, rows, marketplace.Unclassified).Minor)
	require.Equal(t, "#1001", rows[0].Alias)

	b.pass(14 * 24 * time.Hour)
	ship("2", 2)
	_, err := b.RefundByHand(id, map[string]map[string]string{"I1": {"Principal": "6.00"}})
	require.NoError(t, err)
	_, p = b.Settle("USD")
	later, rest := b.rows(t, p.Document)
	require.Equal(t, st.End, later.Start, "the next one begins where the last ended")
	require.Equal(t, later.Paid, sumOf(t, rest))
	require.Equal(t, money.New(-600, "USD"), sumOf(t, rest, marketplace.RefundPrincipal))
	require.Equal(t, money.New(90, "USD"), sumOf(t, rest, marketplace.FeeRefund))
	require.Equal(t, money.New(-18, "USD"), sumOf(t, rest, marketplace.RefundAdminFee))

	both := append(rows, rest...)
	require.Equal(t, money.New(3000+2000, "USD"), sumOf(t, both, marketplace.Principal), "three units and one")
	require.Equal(t, money.New(241+40, "USD"), sumOf(t, both, marketplace.TaxCharged))
	require.Equal(t, money.New(-150, "USD"), sumOf(t, both, marketplace.SellerDiscount))
	require.Equal(t, money.New(-435-300, "USD"), sumOf(t, both, marketplace.Commission))

	_, p = b.Settle("USD")
	_, rows = b.rows(t, p.Document)
	require.Empty(t, rows, "nothing twice")
	require.Zero(t, b.Calls()["createReport"])
}

func TestASettlementWrittenWithCommasReadsTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1, TokenLife: 1000 * time.Hour * 24})
	sale := amazonfake.SettlementRow{Type: "Order", AmountType: "ItemPrice", Description: "Principal", Amount: "1234567.89", Order: "111-1111111-1111111"}
	p := b.Publish(amazonfake.Settlement{Currency: "EUR", Comma: true, Rows: []amazonfake.SettlementRow{sale, amazonfake.Other("Storage Fee", "-1000")}, Total: "5.00"})
	_, body := b.fetch(t, p.Document, "")
	require.Contains(t, string(body), "\t1.234.567,89\t")
	st, rows := b.rows(t, p.Document)
	require.Equal(t, money.New(500, "EUR"), st.Paid, "a total that the rows do not come to, as asked for")
	require.Equal(t, []money.Money{money.New(123456789, "EUR"), money.New(-100000, "EUR")}, []money.Money{rows[0].Amount, rows[1].Amount})
}
