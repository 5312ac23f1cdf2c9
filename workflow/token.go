package workflow

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// taskRef names one attempt of a task: what a token says.
type taskRef struct {
	execution string
	frame     int64
	attempt   int64
}

// ErrToken is the cause of an Invalid error: what was given is no token that
// this portal has made.
var ErrToken = errors.New("it is not a task token")

// token returns the text form of r, "execution.frame.attempt.signature". Who
// has it may answer for the task, wherever it got to (a message, a log), so it
// must not be possible to make one up.
func (e *Engine) token(r taskRef) string {
	text := fmt.Sprintf("%s.%d.%d", r.execution, r.frame, r.attempt)
	return text + "." + base64.RawURLEncoding.EncodeToString(e.signature(text))
}

// signature is cut to 128 bits, which cannot be tried out.
func (e *Engine) signature(text string) []byte {
	h := hmac.New(sha256.New, e.TokenKey)
	h.Write([]byte(text))
	return h.Sum(nil)[:16]
}

// taskOf is the reverse of token.
func (e *Engine) taskOf(token string) (taskRef, error) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return taskRef{}, errNoToken()
	}
	mac, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil || !hmac.Equal(mac, e.signature(token[:i])) {
		return taskRef{}, errNoToken()
	}
	p := strings.Split(token[:i], ".")
	if len(p) == 3 && iap.ValidID(p[0]) {
		frame, err1 := strconv.ParseInt(p[1], 10, 32)
		attempt, err2 := strconv.ParseInt(p[2], 10, 32)
		if err1 == nil && err2 == nil {
			return taskRef{execution: p[0], frame: frame, attempt: attempt}, nil
		}
	}
	return taskRef{}, errNoToken()
}

func errNoToken() error {
	return &iap.Error{Op: "workflow", Kind: iap.Invalid, Field: "token", Err: ErrToken}
}
