package connector

import (
	"encoding/json"
	"time"

	"channelbridge/internal/money"
)

// EntryLine is the line of the record about an entry as it stands after what was done. It tells
// neither bodies nor the other side's words: both may hold personal data.
func EntryLine(action, actor, reason string, e Entry, at time.Time) AuditEntry {
	d := entryDetail{Entry: e.ID, Key: e.Key, Verb: e.Verb, Side: e.Side, State: e.State, Attempt: e.Attempts,
		Class: e.Class, Lane: e.Lane, Batch: e.Batch}
	if (e.Amount != money.Money{}) {
		d.Amount = &e.Amount
	}
	return AuditEntry{At: at, Actor: actor, Action: action, Subject: e.Subject.String(), Reason: reason,
		Planned: e.PlannedOn, Detail: Detail(d)}
}

type entryDetail struct {
	Entry   int64        `json:"entry"`
	Key     string       `json:"key"`
	Verb    Verb         `json:"verb"`
	Side    Side         `json:"side"`
	Amount  *money.Money `json:"amount,omitempty"`
	State   EntryState   `json:"state"`
	Attempt int          `json:"attempt"`
	Class   string       `json:"class,omitempty"`
	Lane    string       `json:"lane,omitempty"`
	Batch   int64        `json:"batch,omitempty"`
}

// BatchLine is the line about a batch as it stands after a step.
func BatchLine(actor string, b Batch, entries int, at time.Time) AuditEntry {
	return AuditEntry{At: at, Actor: actor, Action: "batch", Subject: string(b.Channel) + "/" + b.Lane, Detail: Detail(struct {
		Batch   int64      `json:"batch"`
		State   BatchState `json:"state"`
		Site    string     `json:"site,omitempty"`
		Entries int        `json:"entries"`
		Ticket  string     `json:"ticket,omitempty"`
	}{b.ID, b.State, b.Site, entries, b.Ticket})}
}

// WishLine is the line about what a person asked for.
func WishLine(w Wish) AuditEntry {
	return AuditEntry{At: w.At, Actor: w.Actor, Action: "wish", Subject: w.Subject.String(), Reason: w.Reason, Detail: Detail(struct {
		Wish  int64    `json:"wish"`
		Kind  WishKind `json:"kind"`
		About string   `json:"about,omitempty"`
	}{w.ID, w.Kind, w.About})}
}

// StateLine is the line about a connection's state.
func StateLine(actor string, id ConnectionID, s State, reason string, at time.Time) AuditEntry {
	return AuditEntry{At: at, Actor: actor, Action: "state", Subject: string(id), Reason: reason, Detail: Detail(struct {
		State State `json:"state"`
	}{s})}
}

// SwitchLine is the line about a switch.
func SwitchLine(s Switch) AuditEntry {
	return AuditEntry{At: s.At, Actor: s.Actor, Action: "switch", Subject: s.Name, Reason: s.Reason, Detail: Detail(struct {
		On bool `json:"on"`
	}{s.On})}
}

// TokenLine is the line about a token that was given out or revoked.
func TokenLine(actor, did string, t Token, at time.Time) AuditEntry {
	return AuditEntry{At: at, Actor: actor, Action: "token", Subject: t.ID, Detail: Detail(struct {
		Did      string         `json:"did"`
		Name     string         `json:"name,omitempty"`
		Scopes   []string       `json:"scopes,omitempty"`
		Accounts []ConnectionID `json:"accounts,omitempty"`
	}{did, t.Name, t.Scopes, t.Accounts})}
}

// RedactLine is the line about personal data that was taken out of an order.
func RedactLine(r Redaction) AuditEntry {
	return AuditEntry{At: r.At, Actor: r.Actor, Action: "redact", Subject: r.Subject.String(), Reason: r.Reason, Detail: Detail(struct {
		Snapshots int `json:"snapshots"`
		Entries   int `json:"entries"`
	}{len(r.Bodies), len(r.Entries)})}
}

// ForgetLine is the line about bodies of deliveries that were emptied.
func ForgetLine(actor string, conn ConnectionID, orders, bodies int, at time.Time) AuditEntry {
	return AuditEntry{At: at, Actor: actor, Action: "redact", Subject: string(conn), Detail: Detail(struct {
		Orders int `json:"orders,omitempty"`
		Bodies int `json:"bodies"`
	}{orders, bodies})}
}

// Detail writes the details of a line. What cannot be written is left out: a record must not
// keep the thing itself from happening.
func Detail(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return raw
}
