package sfn_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/smithy-go"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/sfn"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// The access keys of the harness: the ID is the role's, the secret follows.
const secretSuffix = "-secret-of-the-test"

// keys knows one person of each role.
type keys struct{}

func (keys) AccessKey(id string) (string, iap.Actor, bool) {
	role := iap.Role(id)
	return id + secretSuffix, iap.Actor{ID: id + "@example.com", Role: role}, role.Valid()
}

// harness is the protocol on a real engine and an SQLite database.
type harness struct {
	*awssfn.Client // of an admin
	t              *testing.T
	handler        *sfn.Handler
	server         *httptest.Server
	machines       *workflow.Machines
	engine         *workflow.Engine
	log            *event.Log
	now            func() time.Time
}

// newHarness starts one.
func newHarness(t *testing.T, change ...func(*sfn.Config)) *harness {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := &harness{t: t, now: func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }}
	h.log = event.NewLog(db)
	if err := h.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	activities := workflow.NewActivities(workflow.ActivitiesConfig{Store: db, Tx: db, Now: h.now})
	handlers := map[string]workflow.Handler{
		workflow.ActivityHandler: activities.Handler(),
		"test:wait":              {Commit: func(context.Context, workflow.Call) (json.RawMessage, error) { return nil, nil }},
		"test:echo": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
			return c.Arguments, nil
		}},
	}
	h.engine = workflow.New(workflow.Config{Store: db, Tx: db, Log: h.log, Owner: "test", Now: h.now, Handlers: handlers,
		TokenKey: []byte("the key of the test")})
	activities.Engine = h.engine
	if err := h.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.machines = workflow.NewMachines(workflow.MachinesConfig{Store: db, Tx: db, Engine: h.engine, Now: h.now,
		Rand: func(int) int { return 0 }})
	cfg := sfn.Config{Machines: h.machines, Activities: activities, Engine: h.engine, Keys: keys{}, Now: h.now,
		Express: workflow.NewExpressRuns(workflow.ExpressConfig{Engine: h.engine})}
	for _, c := range change {
		c(&cfg)
	}
	h.handler = sfn.New(cfg)
	h.server = httptest.NewServer(h.handler)
	t.Cleanup(func() {
		h.server.Close()
		_ = h.engine.Stop(context.Background())
		_ = h.log.Stop(context.Background())
	})
	h.Client = h.as(iap.Admin)
	return h
}

// as returns AWS's client for a person of a role.
func (h *harness) as(role iap.Role) *awssfn.Client {
	return awssfn.New(awssfn.Options{Region: "us-east-1", BaseEndpoint: aws.String(h.server.URL + sfn.Prefix),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: string(role), SecretAccessKey: string(role) + secretSuffix}, nil
		}),
		RetryMaxAttempts: 1, HTTPClient: plainHosts{}})
}

// plainHosts takes the prefix "sync-" off the address that is dialled, as a
// resolver does where there is one; the request keeps it.
type plainHosts struct{}

func (plainHosts) Do(r *http.Request) (*http.Response, error) {
	host := r.URL.Host
	if len(host) > 5 && host[:5] == "sync-" {
		r.Host, r.URL.Host = host, host[5:]
	}
	return http.DefaultClient.Do(r)
}

// wantCode checks which exception an error is.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

const (
	role   = "arn:aws:iam::111111111111:role/anything"
	passes = `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":{"a":1},"End":true}}}`
	waits  = `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:iap:states:::test:wait.waitForTaskToken",
 "Parameters":{"token.$":"$$.Task.Token"},"HeartbeatSeconds":600,"End":true}}}`
)

// create creates a state machine.
func (h *harness) create(name, definition string) string {
	h.t.Helper()
	out, err := h.CreateStateMachine(h.t.Context(), &awssfn.CreateStateMachineInput{Name: &name, Definition: &definition, RoleArn: aws.String(role)})
	if err != nil {
		h.t.Fatal(err)
	}
	return *out.StateMachineArn
}

// ended waits for the end of an execution and describes it.
func (h *harness) ended(arn string) *awssfn.DescribeExecutionOutput {
	h.t.Helper()
	sub := h.log.Subscribe(0)
	for {
		out, err := h.DescribeExecution(h.t.Context(), &awssfn.DescribeExecutionInput{ExecutionArn: &arn})
		if err != nil {
			h.t.Fatal(err)
		}
		if out.Status != "RUNNING" {
			return out
		}
		if _, err := sub.Next(h.t.Context()); err != nil {
			h.t.Fatal(err)
		}
	}
}
