package tfstate_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/tfstate"
)

var key = bytes.Repeat([]byte("k"), 32)

// rig is a backend on a real database, behind a real server.
type rig struct {
	*httptest.Server
	t    *testing.T
	db   *store.DB
	fail *failing
}

// failing is a Transactor that fails while err is set.
type failing struct {
	iap.Transactor
	err error
}

func (f *failing) Update(ctx context.Context, fn func(context.Context) error) error {
	if f.err != nil {
		return f.err
	}
	return f.Transactor.Update(ctx, fn)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g := &rig{t: t, db: db, fail: &failing{Transactor: db}}
	b, err := tfstate.New(tfstate.Config{Store: db, Tx: g.fail, Jobs: db, Events: event.NewLog(db), Key: key, MaxSize: 1 << 20, Keep: 3})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(tfstate.Prefix, b)
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

// job stores a running job of an instance.
func (g *rig) job(id, instance string) {
	g.t.Helper()
	err := g.db.InsertJob(g.t.Context(), job.Job{ID: id, Instance: instance, App: "todo", Owner: "jane", Kind: job.Apply,
		Status: job.Running, CreatedAt: time.Now()})
	if err != nil {
		g.t.Fatal(err)
	}
}

// end ends a job.
func (g *rig) end(id string) {
	g.t.Helper()
	j, err := g.db.Job(g.t.Context(), id)
	if err == nil {
		j.Status = job.Failed
		err = g.db.UpdateJob(g.t.Context(), j)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// do sends a request of a job for an instance and returns the status and body.
func (g *rig) do(jobID, method, path, body string, change ...func(*http.Request)) (int, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.URL+tfstate.Prefix+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	instance, _, _ := strings.Cut(path, "?")
	req.SetBasicAuth(jobID, tfstate.Password(key, instance, jobID))
	for _, c := range change {
		c(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if res.StatusCode >= 500 && res.Header.Get("Retry-After") == "" {
		g.t.Errorf("%s %s answers %d without Retry-After", method, path, res.StatusCode)
	}
	return res.StatusCode, string(b)
}

// want sends a request and checks the status.
func (g *rig) want(status int, jobID, method, path, body string, change ...func(*http.Request)) string {
	g.t.Helper()
	got, text := g.do(jobID, method, path, body, change...)
	if got != status {
		g.t.Errorf("%s %s by %s answers %d %s, not %d", method, path, jobID, got, text, status)
	}
	return text
}

func state(serial int, lineage string) string {
	return fmt.Sprintf(`{"version":4,"serial":%d,"lineage":%q,"outputs":{"x":{"value":"top-secret"}}}`, serial, lineage)
}

func lockInfo(id string) string { return fmt.Sprintf(`{"ID":%q,"Operation":"OperationTypeApply"}`, id) }

func TestStateIsKeptEncryptedInVersions(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.want(404, "j1", "GET", "one", "")
	for serial := 1; serial <= 5; serial++ {
		g.want(200, "j1", "POST", "one", state(serial, "l"))
	}
	if got := g.want(200, "j1", "GET", "one", ""); got != state(5, "l") {
		t.Errorf("the state is %s", got)
	}
	v, err := g.db.State(t.Context(), "one")
	if err != nil || v.Number != 5 || v.Serial != 5 || v.Lineage != "l" || v.Job != "j1" {
		t.Errorf("stored is %+v, %v", v, err)
	}
	if bytes.Contains(v.Data, []byte("top-secret")) || bytes.Contains(v.Data, []byte("lineage")) {
		t.Error("the stored state can be read")
	}
	// The same again is no new version, older is refused, another lineage is not older.
	g.want(200, "j1", "POST", "one", state(5, "l"))
	if v, _ := g.db.State(t.Context(), "one"); v.Number != 5 {
		t.Errorf("a repeated request made version %d", v.Number)
	}
	g.want(409, "j1", "POST", "one", state(4, "l"))
	g.want(200, "j1", "POST", "one", state(1, "other"))
	g.want(200, "j1", "DELETE", "one", "")
	g.want(404, "j1", "GET", "one", "")
	g.want(200, "j1", "POST", "one", "not JSON, encrypted by the client")
	if got := g.want(200, "j1", "GET", "one", ""); got != "not JSON, encrypted by the client" {
		t.Errorf("the opaque state is %s", got)
	}
}

func TestStateOfAnotherInstanceCannotBeMovedHere(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.job("j2", "two")
	g.want(200, "j1", "POST", "one", state(1, "l"))
	v, err := g.db.State(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	v.Instance = "two"
	if err := g.db.InsertState(t.Context(), v, 3); err != nil {
		t.Fatal(err)
	}
	if text := g.want(500, "j2", "GET", "two", ""); strings.Contains(text, "decrypt") || strings.Contains(text, "top-secret") {
		t.Errorf("something internal shows: %s", text)
	}
}

func TestWhoMayReachAState(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.job("j2", "two")
	g.job("ended", "one")
	g.end("ended")
	password := func(p string) func(*http.Request) {
		return func(r *http.Request) { u, _, _ := r.BasicAuth(); r.SetBasicAuth(u, p) }
	}
	right := tfstate.Password(key, "one", "j1")
	g.want(404, "j1", "GET", "one", "")
	g.want(401, "j1", "GET", "one", "", func(r *http.Request) { r.Header.Del("Authorization") })
	g.want(401, "j1", "GET", "one", "", password(""))
	g.want(401, "j1", "GET", "one", "", password(right[:63]))
	g.want(401, "j1", "GET", "one", "", password(right+"0"))
	g.want(401, "j1", "GET", "two", "", password(right))
	g.want(401, "j2", "GET", "one", "", password(tfstate.Password(key, "two", "j2")))
	g.want(401, "j2", "GET", "one", "") // the right password for a job that is not the instance's
	g.want(401, "unknown", "GET", "one", "")
	g.want(403, "ended", "GET", "one", "")
	g.want(403, "ended", "POST", "one", state(1, "l"))
	g.want(401, "j1", "GET", "", "")
	g.want(401, "j1", "GET", "one/x", "")
	g.want(405, "j1", "PUT", "one", "")
}

func TestLocks(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.job("j2", "one")
	g.want(200, "j1", "LOCK", "one", lockInfo("a"))
	g.want(200, "j1", "LOCK", "one", lockInfo("a")) // its answer was lost
	if holder := g.want(423, "j2", "LOCK", "one", lockInfo("b")); holder != lockInfo("a") {
		t.Errorf("the holder is told as %s", holder)
	}
	if holder := g.want(409, "j2", "POST", "one?ID=b", state(1, "l")); holder != lockInfo("a") {
		t.Errorf("the holder is told as %s", holder)
	}
	g.want(409, "j2", "POST", "one?ID=a", state(1, "l"))
	g.want(423, "j2", "POST", "one", state(1, "l"))
	g.want(409, "j2", "UNLOCK", "one", lockInfo("a"))
	g.want(409, "j2", "UNLOCK", "one", lockInfo("b"))
	g.want(404, "j2", "GET", "one", "") // reading needs no lock
	g.want(200, "j1", "POST", "one?ID=a", state(1, "l"))
	g.want(200, "j1", "POST", "one", state(2, "l")) // handed over by the job that has the lock
	g.want(200, "j1", "UNLOCK", "one", lockInfo("a"))
	g.want(200, "j1", "UNLOCK", "one", lockInfo("a"))
	g.want(200, "j2", "LOCK", "one", lockInfo("b"))
	g.want(200, "j1", "UNLOCK", "one", "") // force-unlock
	g.want(200, "j1", "LOCK", "one", lockInfo("c"))
	for _, bad := range []string{"", "x", "[]", `{"ID":""}`, `{"ID":7}`, `{"ID":"` + strings.Repeat("a", 300) + `"}`} {
		g.want(400, "j1", "LOCK", "one", bad)
	}
}

func TestLockOfAnEndedJob(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.job("j2", "one")
	g.want(200, "j1", "LOCK", "one", lockInfo("a"))
	g.want(423, "j2", "LOCK", "one", lockInfo("b"))
	g.end("j1")
	g.want(200, "j2", "LOCK", "one", lockInfo("b"))
	events, err := g.db.EventsAfter(t.Context(), 0, 10)
	if err != nil || len(events) != 1 || events[0].Type != event.LockReleased || !strings.Contains(string(events[0].Data), `"lock_id":"a"`) {
		t.Errorf("the events are %+v, %v", events, err)
	}
}

func TestSweepReleasesTheLocksOfEndedJobs(t *testing.T) {
	g := newRig(t)
	for i := range 3 {
		id, instance := fmt.Sprint("j", i), fmt.Sprint("i", i)
		g.job(id, instance)
		g.want(200, id, "LOCK", instance, lockInfo(id))
	}
	g.end("j0")
	g.end("j2")
	b, err := tfstate.New(tfstate.Config{Store: g.db, Tx: g.db, Jobs: g.db, Events: event.NewLog(g.db), Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	locks, err := g.db.Locks(t.Context())
	if err != nil || len(locks) != 1 || locks[0].Job != "j1" {
		t.Errorf("the locks are %+v, %v", locks, err)
	}
}

func TestBadBodies(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.want(400, "j1", "POST", "one", "")
	g.want(413, "j1", "POST", "one", strings.Repeat("x", 1<<20+1))
	g.want(413, "j1", "POST", "one", strings.Repeat("x", 1<<20+1), func(r *http.Request) { r.ContentLength = -1 })
	g.want(200, "j1", "POST", "one", strings.Repeat("x", 1<<20))
	sum := func(of string) func(*http.Request) {
		return func(r *http.Request) {
			s := md5.Sum([]byte(of))
			r.Header.Set("Content-MD5", base64.StdEncoding.EncodeToString(s[:]))
		}
	}
	g.want(400, "j1", "POST", "one", state(1, "l"), sum("another"))
	g.want(200, "j1", "POST", "one", state(1, "l"), sum(state(1, "l")))
	for _, odd := range []string{`{"serial":-1,"lineage":"l"}`, `{"serial":1e400}`, `{"serial":"x"}`, `[]`, "\x00\xff"} {
		g.want(200, "j1", "POST", "one", odd)
	}
}

func TestDatabaseFaults(t *testing.T) {
	g := newRig(t)
	g.job("j1", "one")
	g.want(200, "j1", "POST", "one", state(1, "l"))
	for kind, status := range map[iap.Kind]int{iap.Full: 507, iap.Unavailable: 503, iap.Internal: 500} {
		g.fail.err = iap.E("store", kind, errors.New("table lock_x"))
		text := g.want(status, "j1", "POST", "one", state(2, "l"))
		if kind == iap.Internal && strings.Contains(text, "lock_x") {
			t.Errorf("something internal shows: %s", text)
		}
		g.want(status, "j1", "LOCK", "one", lockInfo("a"))
		g.want(200, "j1", "GET", "one", "") // reading works
	}
	g.fail.err = nil
	g.want(200, "j1", "POST", "one", state(2, "l"))
}
