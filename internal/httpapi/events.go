package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"channelbridge/connector"
)

// Events is what the operator's own systems are told.
type Events interface {
	List(ctx context.Context, f connector.EventFilter) ([]connector.EventRecord, error)
	// Replay sends an event again, to one endpoint or, with "", to all that were told of it. It
	// returns to how many; connector.ErrNotFound.
	Replay(ctx context.Context, id, endpoint string) (int, error)
}

// eventView is an event and how far it has come.
type eventView struct {
	ID         string                 `json:"id"`
	Type       string                 `json:"type"`
	At         time.Time              `json:"at"`
	Account    connector.ConnectionID `json:"account,omitempty"`
	Subject    string                 `json:"subject,omitempty"`
	Data       json.RawMessage        `json:"data"`
	Deliveries []eventDeliveryView    `json:"deliveries"`
}

type eventDeliveryView struct {
	Endpoint string               `json:"endpoint"`
	State    connector.EventState `json:"state"`
	Attempts int                  `json:"attempts"`
	NextAt   time.Time            `json:"next_at,omitzero"`
	TriedAt  time.Time            `json:"tried_at,omitzero"`
	Status   int                  `json:"status,omitempty"`
	Reason   string               `json:"reason,omitempty"`
}

func eventOf(r connector.EventRecord) eventView {
	v := eventView{ID: r.ID, Type: r.Type, At: r.At.UTC(), Account: r.Account, Subject: r.Subject, Data: r.Data, Deliveries: []eventDeliveryView{}}
	for _, d := range r.Deliveries {
		v.Deliveries = append(v.Deliveries, eventDeliveryView{d.Endpoint, d.State, d.Attempts, d.NextAt.UTC(), d.TriedAt.UTC(), d.Status, d.Reason})
	}
	return v
}

var eventStates = []connector.EventState{connector.EventWaiting, connector.EventDelivered, connector.EventGivenUp}

// listEvents lists events, the newest first.
func (s *Server) listEvents(c *call) (reply, error) {
	q, p, err := c.pages("account", "type", "endpoint", "delivery")
	if err != nil {
		return reply{}, err
	}
	f := connector.EventFilter{Type: q.Get("type"), Endpoint: q.Get("endpoint"), State: connector.EventState(q.Get("delivery")), Limit: p.limit}
	if f.State != "" && !slices.Contains(eventStates, f.State) {
		return reply{}, member("invalid_parameter", "delivery", "It is waiting, delivered or given_up.", "")
	}
	f.Accounts = c.token.Accounts
	if account := connector.ConnectionID(q.Get("account")); account != "" {
		if !c.token.Sees(account) {
			return p.reply([]eventView{}, 0, "")
		}
		f.Accounts = []connector.ConnectionID{account}
	}
	if f.Before, err = s.eventPlace(c, p.after); err != nil {
		return reply{}, err
	}
	list, err := s.cfg.Events.List(c.ctx, f)
	if err != nil {
		return reply{}, fmt.Errorf("listing events: %w", err)
	}
	last := ""
	if len(list) > 0 {
		last = list[len(list)-1].ID
	}
	return p.reply(views(list, eventOf), len(list), last)
}

// eventPlace is where in the list the event stands with which a page ended; 0 at the start. A cursor
// holds its name: the store's numbers would tell how many events there are of other accounts.
func (s *Server) eventPlace(c *call, id string) (int64, error) {
	if id == "" {
		return 0, nil
	}
	e, err := s.event(c, id)
	if errors.Is(err, connector.ErrNotFound) {
		return 0, member("invalid_cursor", "cursor", "The event at which it stood has been deleted meanwhile.", "Begin again without a cursor.")
	}
	return e.Row, err
}

// eventReplay asks to send an event again; to Endpoint alone, unless it is empty.
type eventReplay struct {
	Endpoint string `json:"endpoint,omitempty"`
}

func (s *Server) replayEvent(c *call, r eventReplay) (reply, error) {
	id, err := c.name("id")
	if err != nil {
		return reply{}, err
	}
	if _, err := s.event(c, id); err != nil {
		return reply{}, err
	}
	if _, err := s.cfg.Events.Replay(c.ctx, id, r.Endpoint); err != nil {
		return reply{}, fmt.Errorf("sending event %s again: %w", id, err)
	}
	line := connector.AuditEntry{At: c.now, Actor: c.token.Name, Action: "replay", Reason: fmt.Sprintf("event %s is sent again", id)}
	if err := s.store.Audit(c.ctx, line); err != nil {
		return reply{}, fmt.Errorf("recording that event %s is sent again: %w", id, err)
	}
	e, err := s.event(c, id)
	if err != nil {
		return reply{}, err
	}
	return shown(eventOf(e))
}

// event finds one that the token may see.
func (s *Server) event(c *call, id string) (connector.EventRecord, error) {
	list, err := s.cfg.Events.List(c.ctx, connector.EventFilter{ID: id, Accounts: c.token.Accounts})
	if err == nil && len(list) == 0 {
		err = connector.ErrNotFound
	}
	if err != nil {
		return connector.EventRecord{}, fmt.Errorf("event %s: %w", id, err)
	}
	return list[0], nil
}

// ofEvents answers only where there is somebody to be told.
func (s *Server) ofEvents(handle func(*call) (reply, error)) func(*call) (reply, error) {
	return func(c *call) (reply, error) {
		if s.cfg.Events == nil {
			return reply{}, newProblem("not_available", "This bridge tells nobody of events.", "Set events up in its configuration.")
		}
		return handle(c)
	}
}
