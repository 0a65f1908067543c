package amazonfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"
)

const maxRequest = 1 << 20

// call is one API request on its way to a handler.
type call struct {
	*http.Request
	body []byte
}

// result is what a handler says: a status and a value for JSON, or a refusal.
type result struct {
	status int
	value  any
}

func ok(v any) result { return result{http.StatusOK, v} }

func refuse(status int, code, format string, args ...any) result {
	return result{status, map[string]any{"errors": []any{map[string]string{"code": code, "message": fmt.Sprintf(format, args...)}}}}
}

func badInput(format string, args ...any) result {
	return refuse(http.StatusBadRequest, "InvalidInput", format, args...)
}

// access says which token an operation wants.
type access int

const (
	asSeller access = iota
	asApplication
)

func (s *Server) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("POST /auth/o2/token", s.token)
	m.HandleFunc("POST /{$}", s.sqs)
	m.HandleFunc("GET /documents/{id}", s.presigned)
	m.HandleFunc("PUT /documents/{id}", s.presigned)
	for _, r := range []struct {
		pattern, op string
		access      access
		handle      func(*call) result
	}{
		{"GET /sellers/v1/marketplaceParticipations", "getMarketplaceParticipations", asSeller, s.participations},
		{"GET /orders/2026-01-01/orders", "searchOrders", asSeller, s.searchOrders},
		{"GET /orders/2026-01-01/orders/{id}", "getOrder", asSeller, s.getOrder},
		{"POST /orders/v0/orders/{id}/shipmentConfirmation", "confirmShipment", asSeller, s.confirmShipment},
		{"GET /notifications/v1/destinations", "getDestinations", asApplication, s.getDestinations},
		{"POST /notifications/v1/destinations", "createDestination", asApplication, s.createDestination},
		{"GET /notifications/v1/subscriptions/{type}", "getSubscription", asSeller, s.getSubscription},
		{"POST /notifications/v1/subscriptions/{type}", "createSubscription", asSeller, s.createSubscription},
		{"DELETE /notifications/v1/subscriptions/{type}/{id}", "deleteSubscriptionById", asApplication, s.deleteSubscription},
		{"POST /feeds/2021-06-30/documents", "createFeedDocument", asSeller, s.createFeedDocument},
		{"GET /feeds/2021-06-30/documents/{id}", "getFeedDocument", asSeller, s.getFeedDocument},
		{"POST /feeds/2021-06-30/feeds", "createFeed", asSeller, s.createFeed},
		{"GET /feeds/2021-06-30/feeds", "getFeeds", asSeller, s.getFeeds},
		{"GET /feeds/2021-06-30/feeds/{id}", "getFeed", asSeller, s.getFeed},
		{"GET /finances/2024-06-19/transactions", "listTransactions", asSeller, s.listTransactions},
		{"GET /finances/transfers/2024-06-01/payouts", "listPayouts", asSeller, s.listPayouts},
		{"POST /finances/transfers/2024-06-01/payouts", "initiatePayout", asSeller, s.initiatePayout},
		{"GET /reports/2021-06-30/reports", "getReports", asSeller, s.getReports},
		{"POST /reports/2021-06-30/reports", "createReport", asSeller, s.createReport},
		{"GET /reports/2021-06-30/documents/{id}", "getReportDocument", asSeller, s.getReportDocument},
	} {
		m.HandleFunc(r.pattern, s.api(r.op, r.access, r.handle))
	}
	return m
}

// agent is Amazon's form: name/version and a bracket with at least the language.
var agent = regexp.MustCompile(`^[^/\s]+/\S+ \(.*Language=.*\)$`)

// api wraps a handler in what every operation shares. Everything below the lock is one instant.
func (s *Server) api(op string, who access, handle func(*call) result) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(io.LimitReader(req.Body, maxRequest))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls[op]++
		s.settle()
		s.serial++
		w.Header().Set("X-Amzn-Requestid", fmt.Sprintf("req-%06d", s.serial))
		var res result
		mishap := s.mishap(op)
		refused, no := s.gate(op, who, req, w.Header())
		if !no {
			refused, no = mishap.befall()
		}
		switch {
		case err != nil:
			res = badInput("the body cannot be read")
		case no:
			res = refused
		default:
			res = mishap.spoil(handle(&call{req, body}), w)
			if s.chance(s.faults.Lost) {
				w.(*reply).lost = true
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(res.status)
		if res.value != nil {
			_ = json.NewEncoder(w).Encode(res.value)
		}
	}
}

// gate refuses what never reaches an operation.
func (s *Server) gate(op string, who access, req *http.Request, head http.Header) (result, bool) {
	ua := req.UserAgent()
	switch {
	case !agent.MatchString(ua) || len(ua) > 500:
		return badInput("the user-agent header is missing or malformed"), true
	case s.faults.Down || s.chance(s.faults.Unavailable):
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is temporarily unavailable."), true
	}
	if res, no := s.authorize(who, req.Header.Get("X-Amz-Access-Token")); no {
		return res, true
	}
	if s.exceeds(op) || s.chance(s.faults.Throttle) {
		s.rateHeader(op, head)
		return refuse(http.StatusTooManyRequests, "QuotaExceeded", "You exceeded your quota for the requested resource."), true
	}
	return result{}, false
}

const clock = "2006-01-02T15:04:05.999Z07:00"

func stamp(t time.Time) string { return t.UTC().Format(clock) }

func (s *Server) participations(*call) result {
	all := []any{}
	for _, id := range s.opt.Sites {
		f, known := siteFacts[id]
		if !known {
			continue
		}
		all = append(all, map[string]any{
			"marketplace": map[string]string{"id": id, "name": f.name, "countryCode": f.country,
				"defaultCurrencyCode": f.currency, "defaultLanguageCode": f.language, "domainName": "www." + f.domain},
			"participation": map[string]bool{"isParticipating": true, "hasSuspendedListings": false},
			"storeName":     "Fake Store",
		})
	}
	return ok(map[string]any{"payload": all})
}

type siteFact struct{ name, country, currency, language, domain string }

var siteFacts = map[string]siteFact{
	"ATVPDKIKX0DER":  {"Amazon.com", "US", "USD", "en_US", "amazon.com"},
	"A2EUQ1WTGCTBG2": {"Amazon.ca", "CA", "CAD", "en_CA", "amazon.ca"},
	"A1AM78C64UM0Y8": {"Amazon.com.mx", "MX", "MXN", "es_MX", "amazon.com.mx"},
	"A1F83G8C2ARO7P": {"Amazon.co.uk", "GB", "GBP", "en_GB", "amazon.co.uk"},
	"A1PA6795UKMFR9": {"Amazon.de", "DE", "EUR", "de_DE", "amazon.de"},
	"A13V1IB3VIYZZH": {"Amazon.fr", "FR", "EUR", "fr_FR", "amazon.fr"},
	"A1VC38T7YXB528": {"Amazon.co.jp", "JP", "JPY", "ja_JP", "amazon.co.jp"},
	"A39IBJ37TRP1C6": {"Amazon.com.au", "AU", "AUD", "en_AU", "amazon.com.au"},
}
