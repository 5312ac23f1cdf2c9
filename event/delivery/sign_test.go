package delivery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event/delivery"
)

// TestStandardWebhooks: the vector of the Standard Webhooks libraries.
func TestStandardWebhooks(t *testing.T) {
	const (
		secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		id        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
		body      = `{"test": 2432232314}`
		signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	)
	at := time.Unix(1614265330, 0)
	got, err := delivery.Sign(secret, id, at, []byte(body))
	if err != nil || got != signature {
		t.Errorf("%s, %v", got, err)
	}
	for _, bare := range []string{secret, secret[len("whsec_"):]} {
		for name, test := range map[string]struct {
			id, timestamp, signatures, body string
			now                             time.Time
			ok                              bool
		}{
			"as it is":        {id, "1614265330", signature, body, at, true},
			"among others":    {id, "1614265330", "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,x v1a,y " + signature, body, at, true},
			"another body":    {id, "1614265330", signature, body + " ", at, false},
			"another id":      {"msg_x", "1614265330", signature, body, at, false},
			"no id":           {"", "1614265330", signature, body, at, false},
			"another time":    {id, "1614265331", signature, body, at, false},
			"too old":         {id, "1614265330", signature, body, at.Add(5*time.Minute + time.Second), false},
			"too new":         {id, "1614265330", signature, body, at.Add(-5*time.Minute - time.Second), false},
			"no time":         {id, "soon", signature, body, at, false},
			"another version": {id, "1614265330", "v2," + signature[3:], body, at, false},
			"cut":             {id, "1614265330", signature[:10], body, at, false},
			"none":            {id, "1614265330", "", body, at, false},
		} {
			err := delivery.Verify(bare, test.id, test.timestamp, test.signatures, []byte(test.body), test.now)
			if (err == nil) != test.ok || err != nil && !errors.Is(err, delivery.ErrSignature) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
