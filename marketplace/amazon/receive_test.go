package amazon

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"channelbridge/internal/secret"
	"channelbridge/marketplace"
	"channelbridge/marketplace/amazon/amazonfake"
)

const change = `{"NotificationVersion":"1.0","NotificationType":"ORDER_CHANGE","PayloadVersion":"1.0","EventTime":"2026-11-20T19:42:05Z",
 "Payload":{"OrderChangeNotification":{"NotificationLevel":"OrderLevel","SellerId":"A3TH9S8BH6GOGM","AmazonOrderId":"903-1",
 "OrderChangeType":"BuyerRequestedChange","OrderChangeTrigger":{"TimeOfOrderChange":"2026-11-20T19:42:04Z","ChangeReason":"Buyer Requested Cancel"},
 "Summary":{"MarketplaceId":"ATVPDKIKX0DER","OrderStatus":"Unshipped","PurchaseDate":null,"DestinationPostalCode":null}}},
 "NotificationMetadata":{"NotificationId":"N1"}}`

func pushed(body string) marketplace.Inbound {
	return marketplace.Inbound{Header: http.Header{"Authorization": {pipeToken}}, Body: []byte(body)}
}

func record(body string) string {
	text, _ := json.Marshal(body)
	return `{"messageId":"m","body":` + string(text) + `}`
}

// Trap 5: all envelopes say the same.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	other := strings.NewReplacer("N1", "N2", "903-1", "903-2").Replace(change)
	for name, body := range map[string]string{
		"bare":                    change,
		"record":                  record(change),
		"array of records":        `[` + record(change) + `,` + record(other) + `]`,
		"array of notifications":  `[` + change + `,` + other + `]`,
		"record with parsed body": `{"messageId":"m","body":` + change + `}`,
		"camel case":              strings.NewReplacer(`"NotificationType"`, `"notificationType"`, `"Payload"`, `"payload"`, `"NotificationMetadata"`, `"notificationMetadata"`).Replace(change),
	} {
		hints, err := r.Receive(start, pushed(body))
		require.NoError(t, err, name)
		h := hints[0]
		require.Equal(t, "N1", h.DeliveryID, name)
		require.Equal(t, marketplace.OrderID("903-1"), h.Order, name)
		require.Equal(t, time.Date(2026, 11, 20, 19, 42, 4, 0, time.UTC), h.Heard, name)
		require.Equal(t, orderChange, h.Topic)
		require.Empty(t, h.Ignore, name)
		require.True(t, json.Valid(h.Body), name)
		if strings.HasPrefix(name, "array") {
			require.Len(t, hints, 2, name)
			require.Equal(t, "N2", hints[1].DeliveryID, name)
		} else {
			require.Len(t, hints, 1, name)
		}
	}
}

func TestWhatANotificationMayLack(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{}, func(c *Config) { c.Sites = []string{usSite} })
	for _, c := range []struct {
		name, patch, ignore string
		heard               time.Time
	}{
		{"time of change null", `{"Payload":{"OrderChangeNotification":{"OrderChangeTrigger":{"TimeOfOrderChange":null}}}}`, "", time.Date(2026, 11, 20, 19, 42, 5, 0, time.UTC)},
		{"no times", `{"EventTime":null,"Payload":{"OrderChangeNotification":{"OrderChangeTrigger":null}}}`, "", time.Time{}},
		{"times of another kind", `{"EventTime":"today","Payload":{"OrderChangeNotification":{"OrderChangeTrigger":null}}}`, "", time.Time{}},
		{"no summary", `{"Payload":{"OrderChangeNotification":{"Summary":null}}}`, "", time.Date(2026, 11, 20, 19, 42, 4, 0, time.UTC)},
		{"another seller", `{"Payload":{"OrderChangeNotification":{"SellerId":"AOTHER"}}}`, "seller", time.Date(2026, 11, 20, 19, 42, 4, 0, time.UTC)},
		{"another site", `{"Payload":{"OrderChangeNotification":{"Summary":{"MarketplaceId":"X"}}}}`, "site", time.Date(2026, 11, 20, 19, 42, 4, 0, time.UTC)},
		{"another type", `{"NotificationType":"REPORT_PROCESSING_FINISHED","Payload":null}`, "type", time.Time{}},
	} {
		hints, err := r.Receive(start, pushed(string(edit(t, change, c.patch))))
		require.NoError(t, err, c.name)
		require.Contains(t, hints[0].Ignore, c.ignore, c.name)
		require.Equal(t, c.ignore == "", hints[0].Ignore == "", c.name)
		require.Equal(t, c.heard, hints[0].Heard, c.name)
	}
	bare := string(edit(t, change, `{"NotificationMetadata":null}`))
	one, err := r.Receive(start, pushed(bare))
	require.NoError(t, err)
	two, err := r.Receive(start, pushed("["+record(bare)+"]"))
	require.NoError(t, err)
	require.Regexp(t, `^sha256:[0-9a-f]{64}$`, one[0].DeliveryID)
	require.Equal(t, one[0].DeliveryID, two[0].DeliveryID, "the same notification in another envelope")
}

func TestPipeAuthorization(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	try := func(token string) error {
		h := http.Header{}
		if token != "" {
			h.Set("Authorization", token)
		}
		_, err := r.Receive(start, marketplace.Inbound{Header: h, Body: []byte(change)})
		return err
	}
	require.NoError(t, try(pipeToken))
	require.NoError(t, try("pipe-token-previous"))
	require.ErrorIs(t, try(""), marketplace.ErrMissing)
	require.ErrorIs(t, try("wrong"), marketplace.ErrSignature)
	require.ErrorIs(t, try(pipeToken[:5]), marketplace.ErrSignature)

	open := newRig(t, amazonfake.Options{}, func(c *Config) {
		c.PipeAuthHeader = "X-Pipe"
		c.PipeAuthToken, c.PipeAuthTokenPrevious = testConfig().PipeAuthToken, secret.Text{}
	})
	_, err := open.Receive(start, marketplace.Inbound{Header: http.Header{"X-Pipe": {" "}}, Body: []byte(change)})
	require.ErrorIs(t, err, marketplace.ErrSignature, "an absent token lets nobody in")
	_, err = open.Receive(start, marketplace.Inbound{Header: http.Header{"X-Pipe": {pipeToken}}, Body: []byte(change)})
	require.NoError(t, err)
}

func TestMalformedPushes(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	for _, body := range []string{"", "x", "7", `"text"`, "null", "{}", `{"body":"x"}`, `{"body":null}`, `{"NotificationType":"ORDER_CHANGE"}`,
		`{"NotificationType":7}`, `[{}]`, `[1,2]`, `[[[[[[` + change + `]]]]]]`, `{"NotificationType":"ORDER_CHANGE","Payload":{"OrderChangeNotification":{}}}`} {
		_, err := r.Receive(start, pushed(body))
		require.ErrorIs(t, err, marketplace.ErrMalformed, "%s", body)
	}
	hints, err := r.Receive(start, pushed(`[`+record("x")+`,`+record(change)+`]`))
	require.NoError(t, err, "one bad record does not refuse the batch")
	require.Len(t, hints, 2)
	require.NotEmpty(t, hints[0].Ignore)
	require.Empty(t, hints[1].Ignore)
	hints, err = r.Receive(start, pushed(`[]`))
	require.NoError(t, err)
	require.Empty(t, hints)
}

func FuzzReceive(f *testing.F) {
	f.Add([]byte(change))
	f.Add([]byte(record(change)))
	f.Add([]byte(moneyMoved))
	f.Add([]byte(feedDone))
	f.Add([]byte(`[` + record(change) + `,{"body":{"body":"[]"}}]`))
	f.Add([]byte(`{"NotificationType":null,"body":"null"}`))
	r := newRig(f, amazonfake.Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		hints, err := r.Receive(start, pushed(string(body)))
		if err != nil {
			require.ErrorIs(t, err, marketplace.ErrMalformed)
			return
		}
		for _, h := range hints {
			require.NotEmpty(t, h.DeliveryID)
			require.True(t, h.Order != "" || h.Lane != "" || h.Ignore != "")
		}
	})
}

const moneyMoved = `{"NotificationVersion":"1.0","NotificationType":"TRANSACTION_UPDATE","PayloadVersion":"1.0","EventTime":"2026-11-20T15:10:00Z",
 "Payload":{"TransactionUpdateNotification":{"SellingPartnerMetadata":{"SellingPartnerId":"A3TH9S8BH6GOGM","MarketplaceId":"ATVPDKIKX0DER","AccountType":"Standard Orders"},
 "RelatedIdentifiers":[{"RelatedIdentifierName":"OrderId","RelatedIdentifierValue":"903-1"}],"TransactionType":"Refund","PostedDate":"2026-11-20T15:09:58Z",
 "TotalAmount":{"CurrencyAmount":-26.4,"CurrencyCode":"USD"}}},"NotificationMetadata":{"NotificationId":"N7"}}`

const feedDone = `{"notificationVersion":"2020-09-04","notificationType":"FEED_PROCESSING_FINISHED","payloadVersion":"2020-09-04","eventTime":"2026-11-20T15:20:00Z",
 "payload":{"feedProcessingFinishedNotification":{"sellerId":"A3TH9S8BH6GOGM","accountId":"amzn1.merchant.o.A3TH9S8BH6GOGM","feedId":"53347018456",
 "feedType":"POST_PAYMENT_ADJUSTMENT_DATA","processingStatus":"DONE","resultFeedDocumentId":"amzn1.tortuga.3.x"}},"notificationMetadata":{"notificationId":"N8"}}`

// Refunds and finished feeds come in the same envelopes as order changes.
func TestMoneyAndFeedsInAllEnvelopes(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{})
	for _, c := range []struct {
		body string
		want marketplace.Hint
	}{
		{moneyMoved, marketplace.Hint{DeliveryID: "N7", Topic: transactionUpdate, Order: "903-1", Money: true, Heard: time.Date(2026, 11, 20, 15, 9, 58, 0, time.UTC)}},
		{feedDone, marketplace.Hint{DeliveryID: "N8", Topic: feedFinished, Lane: laneAdjustment, Heard: time.Date(2026, 11, 20, 15, 20, 0, 0, time.UTC)}},
	} {
		for name, body := range map[string]string{"bare": c.body, "record": record(c.body), "records": `[` + record(c.body) + `]`,
			"parsed": `{"messageId":"m","body":` + c.body + `}`} {
			hints, err := r.Receive(start, pushed(body))
			require.NoError(t, err, name)
			require.Len(t, hints, 1)
			require.True(t, json.Valid(hints[0].Body))
			hints[0].Body = nil
			require.Equal(t, c.want, hints[0], name)
		}
	}
}

func TestMoneyAndFeedsThatConcernNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{}, func(c *Config) { c.Sites = []string{usSite} })
	money := func(patch string) string {
		return string(edit(t, moneyMoved, `{"Payload":{"TransactionUpdateNotification":`+patch+`}}`))
	}
	feed := func(patch string) string {
		return string(edit(t, feedDone, `{"payload":{"feedProcessingFinishedNotification":`+patch+`}}`))
	}
	for _, c := range []struct{ name, body, ignore string }{
		{"a sale", money(`{"TransactionType":"Shipment"}`), "no refund"},
		{"a type nobody knows", money(`{"TransactionType":"Something"}`), "no refund"},
		{"a refund of no order", money(`{"RelatedIdentifiers":null}`), "names no order"},
		{"another seller's refund", money(`{"SellingPartnerMetadata":{"SellingPartnerId":"AOTHER"}}`), "seller"},
		{"another site's refund", money(`{"SellingPartnerMetadata":{"MarketplaceId":"X"}}`), "site"},
		{"another feed", feed(`{"feedType":"POST_PRODUCT_DATA"}`), "not ours"},
		{"another seller's feed", feed(`{"sellerId":"AOTHER"}`), "seller"},
	} {
		hints, err := r.Receive(start, pushed(c.body))
		require.NoError(t, err, c.name)
		require.Contains(t, hints[0].Ignore, c.ignore, c.name)
	}
	for name, body := range map[string]string{"a claim": money(`{"TransactionType":"GuaranteeClaim"}`), "a chargeback": money(`{"TransactionType":"Chargeback"}`),
		"another spelling": money(`{"TransactionType":"REFUND"}`), "one identifier, no list": money(`{"RelatedIdentifiers":{"RelatedIdentifierName":"OrderId","RelatedIdentifierValue":"903-1"}}`)} {
		hints, err := r.Receive(start, pushed(body))
		require.NoError(t, err, name)
		require.Empty(t, hints[0].Ignore, name)
		require.True(t, hints[0].Money)
	}
	hints, err := r.Receive(start, pushed(feed(`{"feedType":"POST_ORDER_ACKNOWLEDGEMENT_DATA"}`)))
	require.NoError(t, err)
	require.Equal(t, laneAcknowledgement, hints[0].Lane)
	for _, body := range []string{`{"NotificationType":"TRANSACTION_UPDATE","Payload":{}}`, `{"notificationType":"FEED_PROCESSING_FINISHED","payload":null}`, feed(`{"feedType":""}`)} {
		_, err := r.Receive(start, pushed(body))
		require.ErrorIs(t, err, marketplace.ErrMalformed)
	}
}

// What really happens at Amazon arrives on the queue.
func TestARefundAndAFeedAreHeardOf(t *testing.T) {
	t.Parallel()
	r := newRig(t, amazonfake.Options{Scale: -1})
	_, err := r.Subscriptions(t.Context(), "", true)
	require.NoError(t, err)
	id := r.sold(t, 2)
	require.Equal(t, marketplace.BatchDone, r.run(t, laneAdjustment, refundOf(id, usd(500))).State)
	heard := map[string]marketplace.Hint{}
	ctx, stop := context.WithCancel(t.Context())
	_ = r.Poll(ctx, func(_ context.Context, in marketplace.Inbound) error {
		hints, err := r.ReceiveQueued(r.now(), in)
		require.NoError(t, err)
		heard[hints[0].Topic] = hints[0]
		if r.fake.Queued() <= 1 || len(heard) == 3 {
			stop()
		}
		return nil
	})
	require.Equal(t, id, heard[transactionUpdate].Order)
	require.Empty(t, heard[transactionUpdate].Ignore)
	require.Equal(t, laneAdjustment, heard[feedFinished].Lane)
}
