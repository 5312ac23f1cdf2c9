package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

// statuses says which status an error of a kind has. What is not in it is 500.
var statuses = map[iap.Kind]int{
	iap.Invalid:         http.StatusUnprocessableEntity,
	iap.Unauthenticated: http.StatusUnauthorized,
	iap.Forbidden:       http.StatusForbidden,
	iap.NotFound:        http.StatusNotFound,
	iap.Conflict:        http.StatusConflict,
	iap.Limit:           http.StatusTooManyRequests,
	iap.Unavailable:     http.StatusServiceUnavailable,
	iap.Full:            http.StatusInsufficientStorage,
	iap.Timeout:         http.StatusGatewayTimeout,
}

// retryAfter is told to clients where an Unavailable error does not say when a
// new attempt makes sense.
const retryAfter = 2 * time.Second

// problem is an answer that is an error.
type problem struct {
	client.Problem
	header http.Header
}

// Error implements error.
func (p *problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// newProblem returns the problem with a status, its detail and nothing else.
func newProblem(status int, format string, args ...any) *problem {
	p := &problem{header: http.Header{}}
	p.Status, p.Title, p.Detail = status, http.StatusText(status), fmt.Sprintf(format, args...)
	if status == http.StatusUnauthorized {
		p.header.Set("WWW-Authenticate", auth.Challenge)
	}
	return p
}

// problemOf turns an error into what a client may know of it. What it may not
// know is logged under a reference that the answer names.
func problemOf(ctx context.Context, log *slog.Logger, err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return newProblem(499, "the client went away") // nobody reads it
	}
	kind := iap.KindOf(err)
	fields := iap.Fields(err)
	if len(fields) > 0 && kind == iap.Internal {
		kind = iap.Invalid // several, joined: the outermost is no iap.Error
	}
	status, known := statuses[kind]
	if !known {
		return internalProblem(ctx, log, err)
	}
	p = newProblem(status, "%s", detailOf(err, fields))
	for _, f := range fields {
		p.Errors = append(p.Errors, client.FieldError{Field: f.Field, Message: f.Message()})
	}
	p.Limit = limitOf(err)
	var e *iap.Error
	errors.As(err, &e)
	switch {
	case e != nil && e.RetryAfter > 0:
		p.header.Set("Retry-After", seconds(e.RetryAfter))
	case kind == iap.Unavailable:
		p.header.Set("Retry-After", seconds(retryAfter))
	}
	return p
}

// limitOf tells of the limit of instances that caused an error, if one did.
func limitOf(err error) *client.Limit {
	var e *instance.LimitError
	if !errors.As(err, &e) {
		return nil
	}
	out := &client.Limit{Of: e.Limit, Most: e.Most, Own: []client.LimitedBy{}, Others: e.Others}
	for _, i := range e.Own {
		out.Own = append(out.Own, client.LimitedBy{ID: i.ID, HostName: i.HostName, App: i.App})
	}
	return out
}

// detailOf returns the text of an error that is not internal.
func detailOf(err error, fields []*iap.Error) string {
	if len(fields) > 1 {
		return fmt.Sprintf("%d fields are wrong", len(fields))
	}
	if len(fields) == 1 && iap.KindOf(err) == iap.Invalid {
		return fields[0].Field + ": " + fields[0].Message()
	}
	var e *iap.Error
	if errors.As(err, &e) {
		return e.Message()
	}
	return err.Error()
}

// internalProblem logs err and returns an answer that tells nothing of it.
func internalProblem(ctx context.Context, log *slog.Logger, err error) *problem {
	p := newProblem(http.StatusInternalServerError, "something went wrong in the portal; its log says what")
	p.Reference = iap.NewID(time.Now())
	actor, _ := iap.ActorFrom(ctx)
	log.ErrorContext(ctx, "a request failed", "reference", p.Reference, "actor", actor.ID, "err", err)
	return p
}

// seconds writes a duration as Retry-After has it, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// fromHuma turns the errors that the framework finds in a request into the
// same form as all others; it is a huma.Transformer.
func fromHuma(_ huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*problem); ok {
		return p.Problem, nil
	}
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := newProblem(m.Status, "%s", m.Detail)
	for _, e := range m.Errors {
		if isUnknownKey(e) {
			continue
		}
		e := fieldError(e)
		if e.Field == "body" && len(m.Errors) == 1 {
			p.Detail = e.Message
			continue
		}
		p.Errors = append(p.Errors, e)
	}
	switch {
	case p.Status == http.StatusRequestEntityTooLarge:
		p.Detail = "the body is larger than 1 MiB" // the framework's limit
	case len(p.Errors) == 1:
		p.Detail = p.Errors[0].Field + ": " + p.Errors[0].Message
	case len(p.Errors) > 1:
		p.Detail = fmt.Sprintf("%d fields are wrong", len(p.Errors))
	case p.Status == http.StatusUnsupportedMediaType:
		p.Detail = "send the body as application/json"
	}
	return p.Problem, nil
}

// fieldError names the field that an error of the framework is about: a key
// that is not there is told of the object that lacks it.
func fieldError(e *huma.ErrorDetail) client.FieldError {
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	name, lacks := strings.CutPrefix(e.Message, before)
	name, found := strings.CutSuffix(name, after)
	if lacks && found {
		return client.FieldError{Field: strings.TrimPrefix(e.Location+"."+name, "body."), Message: "it is missing"}
	}
	return client.FieldError{Field: strings.TrimPrefix(e.Location, "body."), Message: e.Message}
}
