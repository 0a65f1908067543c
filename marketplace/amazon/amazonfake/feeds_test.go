package amazonfake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"channelbridge/internal/money"
	"channelbridge/marketplace/amazon/amazonfake"
)

const code = "20266000000011"

// refundFeed gives back an amount of an item's price.
func refundFeed(order, amount string) string {
	return fmt.Sprintf(`<AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>%s</MerchantIdentifier></Header>
<MessageType>OrderAdjustment</MessageType><Message><MessageID>1</MessageID><OrderAdjustment><AmazonOrderID>%s</AmazonOrderID><ActionType>Refund</ActionType>
<AdjustedItem><AmazonOrderItemCode>%s</AmazonOrderItemCode><AdjustmentReason>CustomerReturn</AdjustmentReason><ItemPriceAdjustments>
<Component><Type>Principal</Type><Amount currency="USD">%s</Amount></Component></ItemPriceAdjustments></AdjustedItem></OrderAdjustment></Message></AmazonEnvelope>`,
		amazonfake.DefaultSeller, order, code, amount)
}

type document struct{ FeedDocumentID, URL string }

// put uploads to a presigned address and returns the status.
func (b *bench) put(address, contentType, body string, head ...string) int {
	req, err := http.NewRequest(http.MethodPut, address, strings.NewReader(body))
	require.NoError(b.t, err)
	req.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
	}
	resp, err := b.http.Do(req)
	require.NoError(b.t, err)
	return resp.StatusCode
}

func feedAnswers(b *bench, expect func(int, string, string, string) string, order string) {
	const documents, feeds, money = "/feeds/2021-06-30/documents", "/feeds/2021-06-30/feeds", "/finances/2024-06-19/transactions"
	var d document
	expect(400, "POST", documents, `{}`)
	require.NoError(b.t, json.Unmarshal([]byte(expect(201, "POST", documents, `{"contentType":"text/xml; charset=UTF-8"}`)), &d))
	require.Equal(b.t, 200, b.put(d.URL, "text/xml; charset=UTF-8", refundFeed(order, "1.00")))
	spec := `{"feedType":"POST_PAYMENT_ADJUSTMENT_DATA","marketplaceIds":["` + us + `"],"inputFeedDocumentId":"` + d.FeedDocumentID + `"}`
	var f struct{ FeedID, ResultFeedDocumentID string }
	require.NoError(b.t, json.Unmarshal([]byte(expect(202, "POST", feeds, spec)), &f))
	for range 12 {
		expect(202, "POST", feeds, spec)
	}
	expect(400, "POST", feeds, strings.Replace(spec, d.FeedDocumentID, "none", 1))
	expect(200, "GET", feeds+"/"+f.FeedID, "")
	b.pass(time.Hour - time.Minute)
	clear(b.tokens)
	text := expect(200, "GET", feeds+"/"+f.FeedID, "")
	require.Contains(b.t, text, "DONE")
	require.NoError(b.t, json.Unmarshal([]byte(text), &f))
	expect(200, "GET", documents+"/"+f.ResultFeedDocumentID, "")
	expect(404, "GET", documents+"/none", "")
	expect(404, "GET", feeds+"/1", "")
	var page struct{ NextToken string }
	require.NoError(b.t, json.Unmarshal([]byte(expect(200, "GET", feeds+"?feedTypes=POST_PAYMENT_ADJUSTMENT_DATA", "")), &page))
	expect(200, "GET", feeds+"?nextToken="+page.NextToken, "")
	expect(400, "GET", feeds+"?feedTypes=POST_PAYMENT_ADJUSTMENT_DATA&nextToken="+page.NextToken, "")
	expect(200, "GET", money+"?postedAfter=2026-11-20T00:00:00Z", "")
	expect(200, "GET", money+"?relatedIdentifierName=ORDER_ID&relatedIdentifierValue="+order, "")
	expect(400, "GET", money, "")
	clear(b.tokens)
}

func TestMoneyNotificationsPassTheOfficialSchema(t *testing.T) {
	t.Parallel()
	schemas := map[string]*jsonschema.Schema{"TRANSACTION_UPDATE": notificationSchema(t, "TransactionUpdate"), "FEED_PROCESSING_FINISHED": notificationSchema(t, "FeedProcessingFinished")}
	b := newBench(t, amazonfake.Options{Scale: -1})
	b.SubscribeTo("TRANSACTION_UPDATE", "1.0")
	b.SubscribeTo("FEED_PROCESSING_FINISHED", "2020-09-04")
	id := shippedOrder(b)
	_, err := b.RefundByHand(id)
	require.NoError(t, err)
	for _, fate := range []amazonfake.Fate{{}, {Status: "FATAL"}, {Status: "CANCELLED"}} {
		b.FateNext(fate)
		b.feed(refundFeed(id, "1.00"))
		b.pass(time.Hour)
		clear(b.tokens)
	}
	seen := map[string]int{}
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		var n struct{ NotificationType string }
		require.NoError(t, json.Unmarshal(body.Bytes(), &n))
		v, err := jsonschema.UnmarshalJSON(&body)
		require.NoError(t, err)
		require.NoError(t, schemas[n.NotificationType].Validate(v))
		seen[n.NotificationType]++
	}))
	defer sink.Close()
	b.SetPush(amazonfake.Push{URL: sink.URL, Shape: "bare"})
	_, err = b.Deliver(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]int{"TRANSACTION_UPDATE": 1, "FEED_PROCESSING_FINISHED": 3}, seen)
}

// shippedOrder is two units of 10.00 with 1.60 tax and 3.00 shipping, all shipped.
func shippedOrder(b *bench) string {
	id := b.Place(amazonfake.OrderSpec{Items: []amazonfake.ItemSpec{{ID: code, Quantity: 2, UnitPrice: "10.00", Shipping: "3.00", Tax: "1.61"}}})
	b.pass(time.Minute)
	status, text := b.do("POST", "/orders/v0/orders/"+id+"/shipmentConfirmation", confirmBody(`"1"`, code, 2, b.now()))
	require.Equal(b.t, 204, status, text)
	return id
}

// feed hands a document in and returns the feed's number.
func (b *bench) feed(body string) string {
	var d document
	_, text := b.do("POST", "/feeds/2021-06-30/documents", `{"contentType":"text/xml"}`)
	require.NoError(b.t, json.Unmarshal([]byte(text), &d))
	require.Equal(b.t, 200, b.put(d.URL, "text/xml", body))
	status, text := b.do("POST", "/feeds/2021-06-30/feeds", `{"feedType":"POST_PAYMENT_ADJUSTMENT_DATA","marketplaceIds":["`+us+`"],"inputFeedDocumentId":"`+d.FeedDocumentID+`"}`)
	require.Equal(b.t, 202, status, text)
	var f struct{ FeedID string }
	require.NoError(b.t, json.Unmarshal([]byte(text), &f))
	return f.FeedID
}

// Partial refunds bring their share of the tax, and all of them together exactly the whole.
func TestCapsAndTax(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1})
	id := shippedOrder(b)
	for _, amount := range []string{"3.33", "3.33", "13.34", "0.01"} {
		b.feed(refundFeed(id, amount))
		b.pass(5 * time.Minute)
	}
	all := b.Refunds(id)
	require.Len(t, all, 3, "the last one is above the cap")
	sum := money.New(0, "USD")
	for _, r := range all {
		require.Equal(t, "feed", r.By)
		sum, _ = sum.Add(r.Amount)
	}
	require.Equal(t, money.New(2161, "USD"), sum)
	rest, err := b.RefundByHand(id)
	require.NoError(t, err)
	require.Equal(t, money.New(300, "USD"), rest.Amount, "shipping is left")
	_, err = b.RefundByHand(id)
	require.Error(t, err, "nothing is left")
	_, err = b.RefundByHand("none")
	require.Error(t, err)
	_, err = b.RefundByHand(id, map[string]map[string]string{"none": {"Principal": "1"}})
	require.Error(t, err)
}

func TestDocumentsAndTheirAddresses(t *testing.T) {
	t.Parallel()
	b := newBench(t, amazonfake.Options{Scale: -1})
	var d document
	_, text := b.do("POST", "/feeds/2021-06-30/documents", `{"contentType":"text/xml"}`)
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	require.Equal(t, 403, b.put(strings.Replace(d.URL, "Signature=", "Signature=x", 1), "text/xml", "<a/>"))
	require.Equal(t, 403, b.put(d.URL, "text/plain", "<a/>"), "another content type than signed")
	require.Equal(t, 400, b.put(d.URL, "text/xml", "<a/>", "X-Amz-Access-Token", "Atza|x"), "a token has no business there")
	require.Equal(t, 200, b.put(d.URL, "text/xml", "<a/>"))
	b.pass(5 * time.Minute)
	require.Equal(t, 403, b.put(d.URL, "text/xml", "<a/>"), "an address lives five minutes")

	broken := b.feed("<a/>")
	b.pass(time.Hour - time.Minute)
	clear(b.tokens)
	_, text = b.do("GET", "/feeds/2021-06-30/feeds/"+broken, "")
	require.Contains(t, text, "FATAL", "a document no schema fits")
	require.Equal(t, "<a/>", string(b.Feeds()[0].Document))
}
