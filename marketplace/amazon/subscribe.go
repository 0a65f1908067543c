package amazon

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	destinationsPath  = "/notifications/v1/destinations"
	subscriptionsPath = "/notifications/v1/subscriptions/"
	destinationName   = "channelbridge"
)

// topic is a notification type the bridge wants.
type topic struct {
	name, version string
	filter        *eventFilter // nil: everything
}

// topics are what is subscribed. Without the first the bridge is deaf; the others only make it
// faster, so it lives on when Amazon refuses one of them to an application without the role.
var topics = []topic{
	{orderChange, "1.0", &eventFilter{orderChange, wantedChanges}},
	{transactionUpdate, "1.0", nil},
	{feedFinished, "2020-09-04", nil},
}

func (t topic) path() string { return subscriptionsPath + t.name }

// wantedChanges are the kinds of order change worth a message.
var wantedChanges = []string{"OrderStatusChange", "BuyerRequestedChange"}

type destination struct {
	DestinationID string
	Resource      struct{ SQS *sqsResource }
}

type sqsResource struct {
	ARN string `json:"arn"`
}

type newDestination struct {
	Name     string `json:"name"`
	Resource struct {
		SQS sqsResource `json:"sqs"`
	} `json:"resourceSpecification"`
}

type subscription struct {
	SubscriptionID string     `json:"subscriptionId,omitempty"`
	PayloadVersion string     `json:"payloadVersion"`
	DestinationID  string     `json:"destinationId"`
	Directive      *directive `json:"processingDirective,omitempty"`
}

type directive struct {
	EventFilter      *eventFilter `json:"eventFilter,omitempty"`
	FilterExpression string       `json:"filterExpression,omitempty"`
}

type eventFilter struct {
	Type    string   `json:"eventFilterType"`
	Changes []string `json:"orderChangeTypes"`
}

// Subscriptions looks after what Amazon sends to the configured queue: order changes, refunds and
// finished feeds. callback is not used, Amazon sends these to queues only.
func (a *Adapter) Subscriptions(ctx context.Context, _ string, repair bool) ([]marketplace.Subscription, error) {
	if a.cfg.QueueARN == "" {
		e := fault.New(fault.Refused, "amazon: no queue ARN is configured")
		e.Hint = "Amazon delivers order changes to an SQS queue only: create one and enter its ARN."
		return nil, e
	}
	dest, err := a.destination(ctx, repair)
	if err != nil {
		return nil, fault.Wrap(err, "looking for the destination of the queue")
	}
	var all []marketplace.Subscription
	for _, t := range topics {
		s, err := a.attend(ctx, t, dest, repair)
		if err != nil && (t.name == orderChange || !refusal(err) || isLogin(err)) {
			return nil, err
		}
		if err != nil {
			s.State, s.Details = "missing", clean(err.Error())
		}
		all = append(all, s)
	}
	return all, nil
}

// attend compares one subscription with what is wanted, and with repair puts it right.
func (a *Adapter) attend(ctx context.Context, t topic, dest string, repair bool) (marketplace.Subscription, error) {
	s := marketplace.Subscription{Topic: t.name, Target: a.cfg.QueueARN}
	if dest == "" {
		s.State, s.Details = "missing", "Amazon knows no destination for the queue"
		return s, nil
	}
	have, err := a.subscription(ctx, t)
	if err != nil {
		return s, fault.Wrap(err, "reading the subscription to %s", t.name)
	}
	switch diff := t.drift(have, dest); {
	case have != nil && diff == "":
		s.State = "ok"
	case !repair && have == nil:
		s.State = "missing"
	case !repair:
		s.State, s.Details = "different", diff
	default:
		s.State, s.Details = "created", diff
		if have != nil {
			s.State = "repaired"
			if err := a.unsubscribe(ctx, t, have.SubscriptionID); err != nil {
				return s, fault.Wrap(err, "removing the subscription that differs (%s)", diff)
			}
		}
		if err := a.subscribe(ctx, t, dest); err != nil {
			return s, fault.Wrap(err, "subscribing to %s", t.name)
		}
	}
	return s, nil
}

// destination returns the id under which Amazon knows the queue; with create it makes one.
func (a *Adapter) destination(ctx context.Context, create bool) (string, error) {
	id, err := a.findDestination(ctx)
	if err != nil || id != "" || !create {
		return id, err
	}
	body := newDestination{Name: destinationName}
	body.Resource.SQS.ARN = a.cfg.QueueARN
	_, err = a.api.send(ctx, request{op: opCreateDestination, method: http.MethodPost, path: destinationsPath, body: body, grantless: true})
	if err != nil && !conflict(err) {
		return "", err
	}
	id, err = a.findDestination(ctx)
	if err == nil && id == "" {
		err = fault.New(fault.Temporary, "the destination was created but cannot be read yet")
	}
	return id, err
}

func (a *Adapter) findDestination(ctx context.Context) (string, error) {
	var body struct{ Payload []destination }
	_, err := a.api.read(ctx, request{op: opGetDestinations, method: http.MethodGet, path: destinationsPath, repeat: true, grantless: true}, &body)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	for _, d := range body.Payload {
		if d.Resource.SQS != nil && d.Resource.SQS.ARN == a.cfg.QueueARN {
			return d.DestinationID, nil
		}
	}
	return "", nil
}

// subscription reads what exists; nil when there is none.
func (a *Adapter) subscription(ctx context.Context, t topic) (*subscription, error) {
	var body struct{ Payload *subscription }
	_, err := a.api.read(ctx, request{op: opGetSubscription, method: http.MethodGet, path: t.path(), repeat: true,
		query: url.Values{"payloadVersion": {t.version}}}, &body)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return body.Payload, err
}

// subscribe creates the subscription. When Amazon says there is one already, that one is read
// and must be right.
func (a *Adapter) subscribe(ctx context.Context, t topic, dest string) error {
	want := subscription{PayloadVersion: t.version, DestinationID: dest}
	if t.filter != nil {
		want.Directive = &directive{EventFilter: t.filter}
	}
	_, err := a.api.send(ctx, request{op: opCreateSubscription, method: http.MethodPost, path: t.path(), body: want})
	if err == nil || !conflict(err) {
		return err
	}
	have, err := a.subscription(ctx, t)
	if err != nil {
		return err
	}
	if diff := t.drift(have, dest); have == nil || diff != "" {
		return fault.New(fault.Temporary, "another subscription stands in the way (%s)", or(diff, "not readable yet"))
	}
	return nil
}

func (a *Adapter) unsubscribe(ctx context.Context, t topic, id string) error {
	_, err := a.api.send(ctx, request{op: opDeleteSubscription, method: http.MethodDelete, grantless: true,
		path: t.path() + "/" + url.PathEscape(id)})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// drift says what is wrong with a subscription; empty when nothing is. Amazon may leave the
// filter out of its answer, and more changes than wanted do no harm.
func (t topic) drift(s *subscription, dest string) string {
	if s == nil {
		return ""
	}
	var wrong []string
	if s.DestinationID != dest {
		wrong = append(wrong, "it goes to another destination")
	}
	if s.PayloadVersion != t.version {
		wrong = append(wrong, fmt.Sprintf("its payload version is %q", s.PayloadVersion))
	}
	if d := s.Directive; d != nil {
		if d.FilterExpression != "" {
			wrong = append(wrong, "it has a filter expression")
		}
		wrong = append(wrong, t.left(d.EventFilter)...)
	}
	return strings.Join(wrong, "; ")
}

// left names the wanted changes a filter lets fall.
func (t topic) left(have *eventFilter) (out []string) {
	if have == nil {
		return nil
	}
	if t.filter == nil {
		return []string{"it has an event filter"}
	}
	for _, w := range t.filter.Changes {
		if !slices.Contains(have.Changes, w) {
			out = append(out, "it leaves out "+w)
		}
	}
	return out
}
