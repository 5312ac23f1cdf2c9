package sfn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/value"
)

const (
	contentType  = "application/x-amz-json-1.0"
	targetPrefix = "AWSStepFunctions."
	// maxBody is the size of a request in bytes at most: a definition of a
	// megabyte may have many characters that are escaped.
	maxBody = 8 << 20
)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := h.answer(w, r)
	h.write(w, r, out, err)
}

// WrongPath answers a request for a path under Prefix that leads nowhere, so that
// a client with a wrong address reads why.
func (h *Handler) WrongPath(w http.ResponseWriter, r *http.Request) {
	h.write(w, r, nil, &exception{Status: http.StatusNotFound, Code: "UnknownOperationException",
		Message: "There is nothing at this path; the endpoint's address must end in " + Prefix + "."})
}

// write writes an answer or, when err is not nil, that.
func (h *Handler) write(w http.ResponseWriter, r *http.Request, out any, err error) {
	id := iap.NewID(h.Now())
	w.Header().Set("X-Amzn-Requestid", id)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	status := http.StatusOK
	if err != nil {
		status, out = h.refusal(r, id, err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(out); err != nil {
		h.Logger.Error("an answer could not be written", "err", err)
		status, b = http.StatusInternalServerError, bytes.Buffer{}
		b.WriteString(`{"__type":"InternalFailure","message":"The portal failed."}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// answer checks a request and carries it out.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request) (any, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, &exception{Status: http.StatusMethodNotAllowed, Code: "UnknownOperationException", Message: "Send a POST."}
	}
	sig, who, err := h.signer(r)
	if err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
	op, known := h.operations[name]
	if !ok || !known {
		return nil, &exception{Status: http.StatusNotFound, Code: "UnknownOperationException", Message: "X-Amz-Target names no action of Step Functions, such as " + targetPrefix + "ListStateMachines."}
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != contentType {
		return nil, &exception{Status: http.StatusUnsupportedMediaType, Code: "SerializationException", Message: "The content type must be " + contentType + "."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, bodyError(err)
	}
	if err := sig.check(r, body); err != nil {
		return nil, err
	}
	if !op.allows(who) {
		return nil, refuse("AccessDeniedException", "User: %s is not authorized to perform: states:%s", who.ID, name)
	}
	in, err := parse(body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(iap.WithActor(r.Context(), who))
	defer cancel()
	return op.run(&request{Handler: h, ctx: ctx, who: who, operation: name}, in)
}

func bodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &exception{Status: http.StatusRequestEntityTooLarge, Code: "RequestEntityTooLargeException",
			Message: "The request is larger than 8 MiB."}
	}
	return refuse("SerializationException", "The request could not be read.")
}

// parse reads the JSON object of a request.
func parse(body []byte) (*value.Object, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return &value.Object{}, nil
	}
	v, err := value.Parse(body)
	if err != nil {
		return nil, refuse("SerializationException", "The request is not JSON: %v", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, refuse("SerializationException", "The request is not a JSON object.")
	}
	return o, nil
}

// refusal is the status and the body for an error. What has no name is a fault
// of the portal, which the client learns nothing of.
func (h *Handler) refusal(r *http.Request, id string, err error) (int, any) {
	var e *exception
	if !errors.As(err, &e) {
		level := slog.LevelError
		if r.Context().Err() != nil {
			level = slog.LevelInfo // the client has gone
		}
		h.Logger.Log(r.Context(), level, "a request of Step Functions failed", "request", id,
			"action", r.Header.Get("X-Amz-Target"), "err", err)
		e = &exception{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "The portal failed; its log has the request " + id + "."}
	}
	status := e.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	return status, struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Reason  string `json:"reason,omitempty"`
		Name    string `json:"resourceName,omitempty"`
	}{e.namespace() + e.Code, e.Message, e.Reason, e.Name}
}
