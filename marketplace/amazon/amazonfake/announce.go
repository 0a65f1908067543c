package amazonfake

import (
	"encoding/json"
	"fmt"
	"time"
)

const (
	topicTransaction = "TRANSACTION_UPDATE"
	topicFeed        = "FEED_PROCESSING_FINISHED"
)

// announce sends a notification of a topic that needs no filter, if it is subscribed.
func (s *Server) announce(topic string, payload map[string]any) {
	sub := s.subs[topic]
	if sub == nil || s.arn(sub.Destination) != s.opt.QueueARN {
		return
	}
	s.serial++
	now := stamp(s.now())
	id := fmt.Sprintf("ntf-%06d", s.serial)
	body := map[string]any{"NotificationVersion": "1.0", "NotificationType": topic, "PayloadVersion": sub.Version, "EventTime": now, "Payload": payload,
		"NotificationMetadata": map[string]any{"ApplicationId": s.opt.ClientID, "SubscriptionId": sub.ID, "PublishTime": now, "NotificationId": id}}
	if topic == topicFeed { // this one is spelled the other way
		body = map[string]any{"notificationVersion": "2020-09-04", "notificationType": topic, "payloadVersion": sub.Version, "eventTime": now, "payload": payload,
			"notificationMetadata": map[string]any{"applicationId": s.opt.ClientID, "subscriptionId": sub.ID, "publishTime": now, "notificationId": id}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic("amazonfake: " + err.Error())
	}
	s.send(text)
}

// send puts a notification on the queue, with the faults of the day.
func (s *Server) send(body []byte) {
	if s.chance(s.faults.Drop) {
		return
	}
	copies := 1
	if s.chance(s.faults.Duplicate) {
		copies = 2
	}
	for range copies {
		at := s.now()
		if s.chance(s.faults.Reorder) {
			hold := s.faults.HoldFor
			if hold == 0 {
				hold = 2 * time.Minute
			}
			at = at.Add(time.Duration(s.opt.Rand.Int64N(int64(hold))))
		}
		s.enqueue(body, at)
	}
}
