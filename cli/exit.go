package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
)

// The exit codes; scripts depend on them.
const (
	codeFailed   = 1
	codeUsage    = 2
	codeDenied   = 3
	codeNotFound = 4
	codeTimeout  = 5
)

// exitError is an error with an exit code of its own; without err nothing
// more is written.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitf makes an error with an exit code.
func exitf(code int, format string, args ...any) error {
	return &exitError{code: code, err: fmt.Errorf(format, args...)}
}

// codeOf returns the exit code of an error.
func codeOf(err error) int {
	var exit *exitError
	var answer *client.Error
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &answer):
		return codeOfStatus(answer.Status)
	case errors.Is(err, context.DeadlineExceeded):
		return codeTimeout
	}
	switch iap.KindOf(err) {
	case iap.Invalid:
		return codeUsage
	case iap.Unauthenticated, iap.Forbidden:
		return codeDenied
	case iap.NotFound:
		return codeNotFound
	case iap.Timeout:
		return codeTimeout
	}
	return codeFailed
}

func codeOfStatus(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return codeUsage
	case http.StatusUnauthorized, http.StatusForbidden:
		return codeDenied
	case http.StatusNotFound:
		return codeNotFound
	case http.StatusGatewayTimeout:
		return codeTimeout
	}
	return codeFailed
}
