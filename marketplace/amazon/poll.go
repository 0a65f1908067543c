package amazon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"channelbridge/internal/fault"
	"channelbridge/marketplace"
)

const (
	pollBatch     = 10               // the most SQS hands out at once
	pollSeconds   = 20               // the longest SQS waits for a message
	deleteTimeout = 10 * time.Second // a message already stored is deleted even while we stop
)

// Poll fetches notifications from the queue until ctx ends or the queue fails. Give what store
// receives to ReceiveQueued. A message is deleted only after store took it; the others come
// back when their visibility timeout ends.
func (a *Adapter) Poll(ctx context.Context, store func(ctx context.Context, in marketplace.Inbound) error) error {
	if a.cfg.QueueURL == "" {
		e := fault.New(fault.Refused, "amazon: no queue is configured")
		e.Hint = "Enter the address of the SQS queue, or let an AWS pipe post the notifications."
		return e
	}
	queue, err := a.queue(ctx)
	if err != nil {
		return err
	}
	for {
		out, err := queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &a.cfg.QueueURL, MaxNumberOfMessages: pollBatch, WaitTimeSeconds: pollSeconds})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return queueFault("receiving messages", err)
		}
		if err := a.settle(ctx, queue, out.Messages, store); err != nil {
			return err
		}
	}
}

// settle stores messages and deletes those that were stored.
func (a *Adapter) settle(ctx context.Context, queue *sqs.Client, messages []types.Message, store func(context.Context, marketplace.Inbound) error) error {
	var done []types.DeleteMessageBatchRequestEntry
	for i, m := range messages {
		err := store(ctx, marketplace.Inbound{Header: http.Header{}, Body: []byte(aws.ToString(m.Body))})
		if err != nil {
			a.log.Warn("message not stored", "message", aws.ToString(m.MessageId), "error", err)
			continue
		}
		done = append(done, types.DeleteMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), ReceiptHandle: m.ReceiptHandle})
	}
	if len(done) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTimeout)
	defer cancel()
	out, err := queue.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &a.cfg.QueueURL, Entries: done})
	if err != nil {
		return queueFault("deleting messages", err)
	}
	for _, f := range out.Failed { // they come again and are recognised
		a.log.Warn("message not deleted", "code", aws.ToString(f.Code))
	}
	return nil
}

func (a *Adapter) queue(ctx context.Context) (*sqs.Client, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(a.cfg.AWSRegion)}
	if a.cfg.AWSAccessKeyID.Set() {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(
			a.cfg.AWSAccessKeyID.Reveal(), a.cfg.AWSSecretAccessKey.Reveal(), "")))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fault.New(fault.Denied, "amazon: reading the AWS configuration: %w", err)
	}
	return sqs.NewFromConfig(c, func(o *sqs.Options) {
		if a.cfg.QueueEndpoint != "" {
			o.BaseEndpoint = &a.cfg.QueueEndpoint
		}
		if t := a.cfg.HTTP.Transport; t != nil {
			o.HTTPClient = &http.Client{Transport: t}
		}
	}), nil
}

// queueDenials are the SQS answers that only a person can mend.
var queueDenials = map[string]bool{
	"AccessDenied": true, "AccessDeniedException": true, "InvalidClientTokenId": true, "UnrecognizedClientException": true,
	"SignatureDoesNotMatch": true, "InvalidSecurity": true, "AWS.SimpleQueueService.NonExistentQueue": true,
	"QueueDoesNotExist": true, "InvalidAddress": true, "KmsAccessDenied": true,
}

func queueFault(doing string, err error) error {
	e := &fault.Error{Class: fault.Temporary, Err: fmt.Errorf("amazon queue: %s: %w", doing, err)}
	if api, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok {
		e.Code = api.ErrorCode()
		if queueDenials[e.Code] {
			e.Class = fault.Denied
			e.Hint = "Check the queue's address and that the AWS keys may receive and delete its messages."
		}
	}
	return e
}

// queueRegion reads the AWS region out of "https://sqs.<region>.amazonaws.com/…".
func queueRegion(address string) string {
	_, rest, ok := strings.Cut(address, "://sqs.")
	region, _, aws := strings.Cut(rest, ".amazonaws.com")
	if !ok || !aws || strings.ContainsAny(region, "/.:") {
		return ""
	}
	return region
}
