package observe

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"channelbridge/connector"
	"channelbridge/internal/fault"
)

const tracer = "channelbridge"

// StartTracing sends spans to an OTLP address over HTTP until stop is called. Without an
// address nothing is recorded and nothing is sent. share is the part of traces kept, 0 to 1.
func StartTracing(ctx context.Context, endpoint, version string, share float64) (stop func(context.Context) error, err error) {
	if endpoint == "" {
		return func(context.Context) error { return nil }, nil
	}
	exp, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(endpoint)))
	if err != nil {
		return nil, fmt.Errorf("tracing to %s: %w", endpoint, err)
	}
	tp := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exp),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(share))),
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "channelbridge"), attribute.String("service.version", version))),
	)
	otel.SetTracerProvider(tp)
	return tp.Shutdown, nil
}

// tracesURL adds the usual path to an address that has none.
func tracesURL(endpoint string) string {
	_, rest, _ := strings.Cut(endpoint, "://")
	if _, path, ok := strings.Cut(rest, "/"); ok && path != "" {
		return endpoint
	}
	return strings.TrimSuffix(endpoint, "/") + "/v1/traces"
}

// Receiving puts a span around every push that is taken.
func Receiving(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := otel.Tracer(tracer).Start(r.Context(), "receive", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		if !span.IsRecording() {
			next.ServeHTTP(w, r)
			return
		}
		answer := &watched{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r.WithContext(ctx))
		span.SetAttributes(attribute.Int("http.response.status_code", answer.status), attribute.String("url.path", path(r)))
		if answer.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(answer.status))
		}
	})
}

// path is cut: a stranger chooses it.
func path(r *http.Request) string { return r.URL.Path[:min(len(r.URL.Path), 100)] }

type watched struct {
	http.ResponseWriter
	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Looking puts a span around every look of a reconciler. Outside calls become its children.
func Looking(r connector.Reconciler) connector.Reconciler { return looking{r} }

type looking struct{ connector.Reconciler }

func (l looking) Reconcile(ctx context.Context, w connector.Work) (connector.Next, error) {
	ctx, span := otel.Tracer(tracer).Start(ctx, "look", trace.WithAttributes(
		attribute.String("channel", string(w.Subject.Channel)), attribute.String("order", w.Subject.ID)))
	defer span.End()
	next, err := l.Reconciler.Reconcile(ctx, w)
	span.SetAttributes(attribute.Int("holds", len(next.Holds)), attribute.Bool("final", next.Final))
	if err != nil {
		span.SetStatus(codes.Error, fault.Of(err).String())
	}
	return next, err
}
