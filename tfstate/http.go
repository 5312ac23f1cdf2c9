package tfstate

import (
	"crypto/md5"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/internal-app-portal/iap"
)

// maxLockInfo is the limit of a lock's JSON in bytes.
const maxLockInfo = 64 << 10

var errTooLarge = errors.New("the body is too large")

// answer is what a method answers: a JSON body, or a text.
type answer struct {
	status int
	body   []byte
	text   string
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	if a.text != "" {
		http.Error(w, a.text, a.status)
		return
	}
	if a.body != nil {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// read reads a body whole and checks it against Content-MD5 (RFC 1864), which
// both tools send with a state.
func (b *Backend) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := b.cfg.MaxSize
	if r.Method != http.MethodPost {
		limit = maxLockInfo
	}
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, iap.Errorf("tfstate.read", iap.Invalid, "the body is incomplete")
	}
	if want := r.Header.Get("Content-MD5"); want != "" {
		sum := md5.Sum(body)
		if want != base64.StdEncoding.EncodeToString(sum[:]) {
			return nil, iap.FieldErrorf("tfstate.read", "Content-MD5", "it is not the sum of the body")
		}
	}
	return body, nil
}

var statusOf = map[iap.Kind]int{
	iap.Invalid: http.StatusBadRequest, iap.Unauthenticated: http.StatusUnauthorized, iap.Forbidden: http.StatusForbidden,
	iap.NotFound: http.StatusNotFound, iap.Conflict: http.StatusConflict, iap.Limit: http.StatusTooManyRequests,
	iap.Unavailable: http.StatusServiceUnavailable, iap.Timeout: http.StatusServiceUnavailable, iap.Full: http.StatusInsufficientStorage,
}

// refuse answers an error. Faults of the portal are not told, but logged.
func (b *Backend) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errTooLarge) {
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
		return
	}
	status, known := statusOf[iap.KindOf(err)]
	text := "an internal error of the portal"
	var e *iap.Error
	if known && errors.As(err, &e) {
		text = e.Message()
	}
	if !known {
		status = http.StatusInternalServerError
	}
	if status >= 500 {
		b.cfg.Logger.ErrorContext(r.Context(), "a state request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		retry := time.Second
		if e != nil && e.RetryAfter > retry {
			retry = e.RetryAfter
		}
		w.Header().Set("Retry-After", strconv.Itoa(int(retry.Round(time.Second)/time.Second)))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="Terraform state", charset="UTF-8"`)
	}
	http.Error(w, text, status)
}
