package tell

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/internal-app-portal/iap/event"
)

// webhookTimeout bounds one POST; maxAnswer is how much of an answer is read.
const (
	webhookTimeout = 10 * time.Second
	maxAnswer      = 4 << 10
)

// post sends a message to the operator's webhook and says how that went. It is
// tried once: the message is in the portal already.
func (t *Teller) post(ctx context.Context, e *event.Event) string {
	if t.Webhook == "" {
		return "none"
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTimeout)
	defer cancel()
	status, err := t.postOnce(ctx, e)
	if err != nil || status >= 300 {
		slog.Warn("a notification could not be posted to the webhook", "event", e.ID, "status", status, "err", err)
		return "failed"
	}
	return "delivered"
}

func (t *Teller) postOnce(ctx context.Context, e *event.Event) (int, error) {
	body, err := json.Marshal(struct {
		ID   string          `json:"id"`
		Type string          `json:"type"`
		Time time.Time       `json:"time"`
		To   string          `json:"to"`
		Data json.RawMessage `json:"data"`
	}{e.ID, e.Type, e.Time, e.Owner, e.Data})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Webhook, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", e.ID)
	res, err := t.Client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be kept
	return res.StatusCode, nil
}
