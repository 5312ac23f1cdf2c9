package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/internal-app-portal/iap/api"
	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
	"github.com/internal-app-portal/iap/store"
)

// open keeps secrets as they are: they are gone with the test.
type open struct{}

func (open) Seal(s string) string          { return s }
func (open) Open(s string) (string, error) { return s, nil }

// events is a portal whose events, rules, targets and deliveries are the real
// ones, on a database, with a receiver of webhooks.
type events struct {
	db   *store.DB
	code atomic.Int64 // that the receiver answers
}

// start returns what a portal needs for events.
func (e *events) start(t testing.TB) func(*api.Config) {
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := event.NewLog(db)
	service := delivery.New(delivery.Config{Store: db, Tx: db, Log: log, Events: db, Sealer: open{}, Now: db.Now,
		Senders: map[delivery.Kind]delivery.Sender{delivery.Webhook: &send.Webhook{Clients: send.NewClients(), Now: time.Now},
			delivery.Task: &send.Task{}, delivery.Execution: &send.Execution{}}})
	for _, start := range []func(context.Context) error{log.Start, service.Start} {
		if err := start(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_ = service.Stop(context.Background())
		_ = log.Stop(context.Background())
		_ = db.Close()
	})
	e.db = db
	e.code.Store(200)
	return func(c *api.Config) {
		c.Log, c.Events, c.Delivery, c.Inbox = log, db, service, &event.Inbox{Log: log, Store: db, Tx: db}
	}
}

// receive is the webhook.
func (e *events) receive(t testing.TB) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(int(e.code.Load()))
		fmt.Fprintf(w, "code %d, said the receiver", e.code.Load())
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// until waits until so many deliveries have a status: until 3 dead.
func (e *events) until(ts *testscript.TestScript, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	for tick := time.Tick(2 * time.Millisecond); ; <-tick {
		found, err := e.db.Deliveries(context.Background(), delivery.Filter{Status: delivery.Status(args[1]), Limit: want + 1})
		ts.Check(err)
		if len(found) == want {
			return
		}
	}
}

// TestEventScripts runs what is said about events on the command line against
// the real parts.
func TestEventScripts(t *testing.T) {
	of := func(ts *testscript.TestScript) *events { return ts.Value("events").(*events) }
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/events",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			t := env.T().(testing.TB)
			e := &events{}
			p := apitest.New(t, e.start(t))
			for name, value := range map[string]string{"IAP_SERVER": p.URL, "IAP_TOKEN": apitest.AnnToken, "JANE": apitest.JaneToken,
				"ANN": apitest.AnnToken, "RECEIVER": e.receive(t)} {
				env.Setenv(name, value)
			}
			env.Values["events"] = e // scripts run at the same time
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":  cmdExit,
			"until": func(ts *testscript.TestScript, _ bool, args []string) { of(ts).until(ts, args) },
			// answer sets what the receiver answers.
			"answer": func(ts *testscript.TestScript, _ bool, args []string) {
				code, err := strconv.Atoi(args[0])
				ts.Check(err)
				of(ts).code.Store(int64(code))
			},
		},
	})
}
