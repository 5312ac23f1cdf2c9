package delivery_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// TestRotatedSecret: a receiver that has the old secret and one that has the new one
// both know who signed, until the overlap is over.
func TestRotatedSecret(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r := open()
		type signed struct {
			header http.Header
			body   []byte
		}
		got := make(chan signed, 10)
		at := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
			b, _ := io.ReadAll(q.Body)
			got <- signed{q.Header, b}
		}))
		t.Cleanup(at.Close)
		old := r.target(t, at.URL, told, nil)
		knows := func(secret string, want bool) func(signed) {
			return func(s signed) {
				t.Helper()
				err := delivery.Verify(secret, s.header.Get("webhook-id"), s.header.Get("webhook-timestamp"), s.header.Get("webhook-signature"), s.body, time.Now())
				if (err == nil) != want {
					t.Errorf("the signature %s: %v", s.header.Get("webhook-signature"), err)
				}
			}
		}
		// until tells of something until the lane has heard of the change.
		until := func(signatures int) signed {
			for {
				r.tell(t, "a")
				s := <-got
				if len(strings.Fields(s.header.Get("webhook-signature"))) == signatures {
					return s
				}
			}
		}
		rotated, err := r.RotateSecret(t.Context(), ann, old.Name, "", time.Hour)
		must(t, err)
		if rotated.Secret == "" || rotated.Secret == old.Secret || rotated.OldSecret != "" {
			t.Fatalf("%+v", rotated)
		}
		s := until(2)
		knows(old.Secret, true)(s)
		knows(rotated.Secret, true)(s)

		last, err := r.RotateSecret(t.Context(), ann, old.Name, delivery.NewSecret(), 0)
		must(t, err)
		s = until(1)
		knows(rotated.Secret, false)(s)
		knows(last.Secret, true)(s)
	})
}

func TestWrongRotation(t *testing.T) {
	r := open(t, t.TempDir()+"/iap.db")
	at := receive(t)
	r.target(t, at.URL, told, nil)
	rotate := func(name, secret string, overlap time.Duration) error {
		_, err := r.RotateSecret(t.Context(), ann, name, secret, overlap)
		return err
	}
	for field, err := range map[string]error{"overlap": rotate("t0", "", -1), "secret": rotate("t0", "whsec_c2hvcnQ=", 0)} {
		if f := iap.Fields(err); len(f) != 1 || f[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := rotate("nobody", "", 0); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("a target that is not there: %v", err)
	}
}
