package client

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is what the API says when it refuses or fails, after RFC 9457
// (problem details for HTTP APIs).
type Problem struct {
	Type      string       `json:"type,omitempty" doc:"Always absent, which means about:blank: the status says all"`
	Title     string       `json:"title" doc:"The status in words"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty" doc:"What happened, to what, and what to do"`
	Reference string       `json:"reference,omitempty" doc:"Names the line in the portal's log that tells more"`
	Errors    []FieldError `json:"errors,omitempty" doc:"What is wrong with which field"`
	Limit     *Limit       `json:"limit,omitempty" doc:"With status 429: the limit of instances that is reached"`
}

// Limit is a limit of instances that is reached, and what of one's own counts.
type Limit struct {
	Of     string      `json:"of" enum:"person,app,portal"`
	Most   int         `json:"most"`
	Own    []LimitedBy `json:"own" nullable:"false"`
	Others int         `json:"others" doc:"Other people's instances"`
}

// LimitedBy is an instance of one's own that could be destroyed.
type LimitedBy struct {
	ID       string `json:"id"`
	HostName string `json:"host_name"`
	App      string `json:"app"`
}

// FieldError says what is wrong with a field.
type FieldError struct {
	Field   string `json:"field" doc:"Path of the field: parameters.title, query.limit"`
	Message string `json:"message" doc:"What is wrong and what would be right"`
}

// Error is an answer of the portal that is not a success.
type Error struct {
	Problem
	RetryAfter time.Duration // when a new attempt makes sense; 0: unknown
}

// Error returns the detail, each field's error on a line of its own.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	if e.Detail == "" {
		b.WriteString(strings.ToLower(e.Title))
	}
	for _, f := range e.Errors {
		if len(e.Errors) == 1 && strings.HasSuffix(e.Detail, f.Message) {
			break // the detail is that error
		}
		fmt.Fprintf(&b, "\n  %s: %s", f.Field, f.Message)
	}
	if e.Reference != "" {
		fmt.Fprintf(&b, " (reference %s in the portal's log)", e.Reference)
	}
	return b.String()
}

// NoPortalError says that nothing answers at the address.
type NoPortalError struct {
	Server string
	Err    error
}

// Error tells what to do.
func (e *NoPortalError) Error() string {
	return fmt.Sprintf("no portal answers at %s (IAP_SERVER); start one with: iap serve --dev", e.Server)
}

// Unwrap returns the cause.
func (e *NoPortalError) Unwrap() error { return e.Err }

// errorFrom reads the error of an answer; it closes nothing.
func errorFrom(resp *http.Response) *Error {
	e := &Error{}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if mediaType != "application/problem+json" || json.Unmarshal(body, &e.Problem) != nil {
		e.Detail = "the answer is not a portal's: " + resp.Status
	}
	e.Status = resp.StatusCode
	if e.Title == "" {
		e.Title = http.StatusText(resp.StatusCode)
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}
