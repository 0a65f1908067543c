package httpapi

import (
	"net/http"
	"net/url"
)

// route is one method of one address. The document has the same ones; a test compares.
type route struct {
	method, path string
	scope        string
	handle       func(*call) (reply, error)
	location     func(*call) string // where what was taken on (202) can be followed
}

const one = "/orders/:channel/:id"

// routes are all there are.
func (s *Server) routes() []route {
	return append(append(s.bridgeRoutes(), s.payoutRoutes()...), s.eventRoutes()...)
}

// bridgeRoutes are those of orders and of what keeps their two sides alike.
func (s *Server) bridgeRoutes() []route {
	get, post := http.MethodGet, http.MethodPost
	return []route{
		{get, "/orders", scopeOrdersRead, s.listOrders, nil},
		{get, one, scopeOrdersRead, s.showOrder, nil},
		{get, one + "/timeline", scopeOrdersRead, s.timeline, nil},
		{get, one + "/refunds", scopeOrdersRead, s.sheet, nil},
		{post, one + "/refunds", scopeRefundsWrite, write(s, "RefundRequest", s.refund), ofOrder("/refunds")},
		{post, one + "/cancel", scopeRefundsWrite, write(s, "CancelRequest", s.cancel), ofOrder("/refunds")},
		{post, one + "/hold", scopeOrdersWrite, write(s, "ReasonRequest", s.hold), ofOrder("")},
		{post, one + "/release", scopeOrdersWrite, write(s, "ReasonRequest", s.release), ofOrder("")},
		{post, one + "/approve", scopeOrdersWrite, write(s, "ApproveRequest", s.approve), ofOrder("")},
		{post, one + "/retry", scopeOrdersWrite, write(s, "ReasonRequest", s.retry), nil},
		{get, "/holds", scopeOrdersRead, s.listHolds, nil},

		{get, "/channels", scopeChannelsRead, s.listChannels, nil},
		{get, "/channels/:id", scopeChannelsRead, s.showChannel, nil},
		{post, "/channels/:id/pause", scopeChannelsWrite, write(s, "ReasonRequest", s.pause), nil},
		{post, "/channels/:id/resume", scopeChannelsWrite, write(s, "ReasonRequest", s.resume), nil},
		{post, "/channels/:id/remove", scopeChannelsWrite, write(s, "RemoveRequest", s.remove), nil},
		{post, "/channels/:id/reconnect", scopeChannelsWrite, write(s, "ReasonRequest", s.reconnect), ofPlan},
		{get, "/channels/:id/reconnect-plan", scopeChannelsRead, s.reconnectPlan, nil},
		{post, "/channels/:id/reconnect-plan/approve", scopeChannelsWrite, write(s, "PlanApproval", s.approvePlan), ofPlan},
		{post, "/channels/:id/reconnect-plan/hold", scopeChannelsWrite, write(s, "PlanHold", s.holdInPlan), ofPlan},

		{get, "/deliveries", scopeDeliveriesRead, s.listDeliveries, nil},
		{get, "/deliveries/:row", scopeDeliveriesRead, s.showDelivery, nil},
		{post, "/deliveries/:row/replay", scopeDeliveriesWrite, write(s, "ReplayRequest", s.replay), nil},

		{get, "/ledger", scopeLedgerRead, s.listLedger, nil},
		{get, "/ledger/:entry", scopeLedgerRead, s.showEntry, nil},
		{post, "/ledger/:entry/resolve", scopeLedgerWrite, write(s, "ResolveRequest", s.resolve), nil},

		{get, "/audit", scopeAuditRead, s.listAudit, nil},
		{get, "/writes", scopeWrites, s.showWrites, nil},
		{post, "/writes", scopeWrites, write(s, "WritesRequest", s.setWrites), nil},
	}
}

// Addresses of payouts that the code names. Of a colon that begins no parameter the router wants
// a backslash.
const (
	reportPath   = "/reports/payout-reconciliation"
	onePayout    = "/payouts/:id"
	sourcePath   = onePayout + "/source"
	importPath   = `/payouts\:import`
	simulatePath = `/tariffs\:simulate`
)

// payoutRoutes are those of what channels have paid.
func (s *Server) payoutRoutes() []route {
	get, post := http.MethodGet, http.MethodPost
	all := []route{
		{get, reportPath, scopePayoutsRead, s.report, func(*call) string { return "" }},
		{get, jobPath, scopePayoutsRead, s.showJob, nil},
		{get, jobFilePath, scopePayoutsRead, s.jobFile, nil},

		{get, "/payouts", scopePayoutsRead, s.listPayouts, nil},
		{get, onePayout, scopePayoutsRead, s.showPayout, nil},
		{get, onePayout + "/lines", scopePayoutsRead, s.listPayoutLines, nil},
		{get, sourcePath, scopePayoutsRead, s.payoutSource, nil},
		{post, importPath, scopePayoutsWrite, s.importPayout, nil},

		{get, "/tariffs", scopePayoutsRead, s.listTariffs, nil},
		{post, "/tariffs", scopePayoutsWrite, write(s, "TariffRequest", s.setTariff), nil},
		{post, simulatePath, scopePayoutsRead, write(s, "TariffSimulation", s.simulateTariffs), nil},
	}
	all = append(append(all, s.findingRoutes()...), s.deskRoutes()...)
	for i := range all {
		all[i].handle = s.ofPayouts(all[i].handle)
	}
	return all
}

// eventRoutes are those of what the operator's own systems are told.
func (s *Server) eventRoutes() []route {
	return []route{
		{http.MethodGet, "/events", scopePayoutsRead, s.ofEvents(s.listEvents), nil},
		{http.MethodPost, `/events/:id\:replay`, scopePayoutsWrite, s.ofEvents(write(s, "EventReplay", s.replayEvent)), nil},
	}
}

func ofOrder(below string) func(*call) string {
	return func(c *call) string {
		sub, err := c.subject()
		if err != nil { // it was read before, to act
			return "/v1/orders"
		}
		return "/v1/orders/" + url.PathEscape(string(sub.Channel)) + "/" + url.PathEscape(sub.ID) + below
	}
}

func ofPlan(c *call) string {
	id, err := c.connection()
	if err != nil {
		return "/v1/channels"
	}
	return "/v1/channels/" + url.PathEscape(string(id)) + "/reconnect-plan"
}
