package web_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// TestServeExample serves the pages over made-up services at the address in
// IAP_WEB_EXAMPLE, to be looked at in a browser, until it is interrupted:
//
//	IAP_WEB_EXAMPLE=127.0.0.1:8081 go test -run TestServeExample -timeout 0 ./web
func TestServeExample(t *testing.T) {
	addr := os.Getenv("IAP_WEB_EXAMPLE")
	if addr == "" {
		t.Skip("IAP_WEB_EXAMPLE is not set")
	}
	m := newMemory(time.Now)
	s, err := newServer(m, iap.Actor{ID: "local-admin", Name: "Local admin", Role: iap.Admin})
	if err != nil {
		t.Fatal(err)
	}
	ids := example(m)
	maps.Copy(ids, exampleFlows(m.flows))
	ids["long"] = m.flows.long(t, 4000)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := s.Start(ctx); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", s)
	pages := s.HostPages("http://localhost:8081")
	mux.HandleFunc("GET /.iap/{name}", pages.Asset)
	mux.HandleFunc("GET /host/{id}", func(w http.ResponseWriter, r *http.Request) {
		i := m.instances[r.PathValue("id")]
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Query().Get("as") {
		case "unknown":
			pages.Unknown(r.Context(), w, "brave-otter-lamp-todo")
		case "broken":
			pages.Unanswered(r.Context(), w, i)
		default:
			pages.Instance(r.Context(), w, i)
		}
	})
	mux.HandleFunc("GET /play", func(http.ResponseWriter, *http.Request) { go play(m, ids["deploying"]) })
	for name, id := range ids {
		fmt.Println(name, id)
	}
	server := &http.Server{Addr: addr, Handler: mux}
	go func() {
		<-ctx.Done()
		s.Stop(context.Background())
		server.Close()
	}()
	fmt.Println("http://" + addr)
	server.ListenAndServe()
}

// example fills m with what a portal has on an ordinary day.
func example(m *memory) map[string]string {
	now := m.now()
	minMembers, maxMembers := 1.0, 50.0
	m.addApp(catalog.Manifest{Slug: "todo", Name: "To-do list", Description: "A shared list for pairing exercises, kept in one file.", Icon: "✅", Image: "iap-example-todo:1", Port: 8080,
		Tags: []string{"interview", "backend"}, Health: catalog.Health{Path: "/healthz"}, Limits: catalog.Limits{CPUs: 0.5, PIDs: 64},
		Parameters: []catalog.Parameter{{Name: "title", Type: "string", Default: "Things to do", Description: "Shown at the top of the list"},
			{Name: "members", Type: "number", Default: 5, Min: &minMembers, Max: &maxMembers}, {Name: "theme", Type: "choice", Choices: []string{"light", "dark"}, Default: "light"},
			{Name: "samples", Label: "Begin with some entries", Type: "boolean", Default: true}, {Name: "admin_password", Type: "string", Secret: true}}}, 1.1)
	m.addApp(catalog.Manifest{Slug: "whiteboard", Name: "Whiteboard", Description: "Draw together; every stroke goes to all over a WebSocket.", Icon: "🖍", Image: "iap-example-whiteboard:1", Port: 8080, Tags: []string{"workshop"}}, 0.9)
	m.addApp(catalog.Manifest{Slug: "inspector", Name: "Inspector", Description: "Shows the request that it got: headers, client, cookies.", Image: "iap-example-inspector:1", Port: 8080, Tags: []string{"demo"}}, 1.4)
	m.addApp(catalog.Manifest{Slug: "orders", Name: "Orders exercise", Description: "The order service with its database, as candidates get it in the second interview: a long text that has to be cut somewhere.", Icon: "📦", Image: "registry.example.com/orders:12", Port: 3000, Tags: []string{"interview", "database"}}, 14)
	m.addApp(catalog.Manifest{Slug: "grafana", Name: "Grafana workshop", Description: "Dashboards over a recorded week of metrics.", Icon: "📈", Image: "registry.example.com/grafana:3", Port: 3000, Tags: []string{"workshop"}}, 0)
	ids := map[string]string{}
	add := func(name, app, words, owner string, st instance.Status, age time.Duration, change func(*instance.Instance)) {
		i := instance.Instance{ID: iap.NewID(now.Add(-age)), App: app, Version: 1, Owner: owner, HostName: words + "-" + app, Status: st,
			CreatedAt: now.Add(-age), TimeLimitAt: now.Add(5 * time.Hour), Execution: iap.NewID(now.Add(-age)), Parameters: map[string]any{"title": "Things to do", "members": 5, "admin_password": "hunter2"}}
		if change != nil {
			change(&i)
		}
		m.progress[i.ID] = exampleProgress(i)
		m.flows.lifecycle(&i)
		ids[name] = i.ID
		m.put(i)
	}
	ready := func(i *instance.Instance) {
		i.ReadyAt, i.Upstream = i.CreatedAt.Add(1070*time.Millisecond), "http://127.0.0.1:32801"
	}
	add("running", "todo", "brave-otter-lamp", "local-admin", instance.Running, 47*time.Minute, ready)
	add("deploying", "orders", "gentle-comet-bridge", "local-admin", instance.Deploying, 3*time.Second, nil)
	add("failed", "grafana", "mellow-cedar-kite", "local-admin", instance.DeployFailed, 30*time.Minute, func(i *instance.Instance) {
		i.Reason = "The container of grafana exited with code 1 before it was healthy.\nIt last said: failed to read /etc/grafana/grafana.ini: permission denied"
		i.EndedAt, i.Receipt = i.CreatedAt.Add(9*time.Second), &instance.Receipt{At: i.CreatedAt.Add(9 * time.Second)}
	})
	add("destroyed", "whiteboard", "sunny-falcon-river", "local-admin", instance.Destroyed, 26*time.Hour, func(i *instance.Instance) {
		ready(i)
		i.EndedAt, i.EndedBy, i.EndReason = now.Add(-20*time.Hour), "local-admin", "destroyed by its owner"
		i.Receipt = &instance.Receipt{At: now.Add(-20 * time.Hour)}
	})
	add("left", "orders", "calm-badger-stone", "sam@example.com", instance.DestroyFailed, 5*time.Hour, func(i *instance.Instance) {
		ready(i)
		i.Reason, i.EndedAt = "Docker did not remove the network: it has active endpoints.", now.Add(-time.Hour)
		i.Receipt = &instance.Receipt{At: now.Add(-time.Hour), Left: []instance.Resource{{Kind: "network", Name: "calm-badger-stone-orders"}}}
	})
	add("queued", "todo", "rapid-walnut-shore", "jane@example.com", instance.Queued, time.Second, func(i *instance.Instance) { i.Waiting = "3rd in the queue" })
	add("waiting", "whiteboard", "vivid-heron-cloud", "sam@example.com", instance.Deploying, 9*time.Second, func(i *instance.Instance) { i.Waiting = "Docker" })
	add("theirs", "todo", "amber-lynx-field", "kim@example.com", instance.Running, 3*time.Hour, ready)
	exampleJobs(m, ids, now)
	return ids
}

func exampleProgress(i instance.Instance) instance.Progress {
	p := instance.Progress{ExpectedSeconds: 1.1}
	if i.App == "orders" {
		p.ExpectedSeconds = 14
	}
	names := []struct {
		name, title string
		took        time.Duration
	}{{"queue", "In the queue", 20 * time.Millisecond}, {"init", "Prepare", 160 * time.Millisecond}, {"apply", "Create", 620 * time.Millisecond}, {"check", "Check health", 240 * time.Millisecond}, {"ready", "Ready", 0}}
	at := i.CreatedAt
	for n, s := range names {
		st := instance.ProgressStep{Name: s.name, Title: s.title, State: instance.StepDone, StartedAt: at, EndedAt: at.Add(s.took)}
		at = st.EndedAt
		switch {
		case i.Status == instance.Queued && n == 0, i.Status == instance.Deploying && n == 2:
			st.State, st.EndedAt, st.Note = instance.StepActive, time.Time{}, i.Waiting
		case i.Status == instance.Queued, i.Status == instance.Deploying && n > 2, i.Status == instance.DeployFailed && n > 3:
			st = instance.ProgressStep{Name: s.name, Title: s.title, State: instance.StepPending}
		case i.Status == instance.DeployFailed && n == 3:
			st.State, st.EndedAt = instance.StepFailed, at.Add(8*time.Second)
		}
		p.Steps = append(p.Steps, st)
	}
	if i.Status == instance.Destroyed {
		for _, title := range []string{"Destroy", "Verify"} {
			p.Steps = append(p.Steps, instance.ProgressStep{Name: strings.ToLower(title), Title: title, State: instance.StepDone, StartedAt: i.EndedAt.Add(-300 * time.Millisecond), EndedAt: i.EndedAt})
		}
	}
	return p
}

func exampleJobs(m *memory, ids map[string]string, now time.Time) {
	line := func(at time.Time, text string) string {
		return at.UTC().Format("2006-01-02T15:04:05.000Z") + " " + text + "\n"
	}
	add := func(name string, kind job.Kind, st job.Status, age time.Duration, steps ...job.Step) {
		i := m.instances[ids[name]]
		j := job.Job{ID: iap.NewID(now.Add(-age)), Instance: i.ID, App: i.App, Version: 1, Owner: i.Owner, Kind: kind, Status: st, Steps: steps,
			CreatedAt: now.Add(-age), StartedAt: now.Add(-age)}
		if st.Ended() {
			j.EndedAt = now.Add(-age + 800*time.Millisecond)
		}
		m.putJob(j)
		ids["job-"+name] = j.ID
		var b strings.Builder
		for n := range 30 {
			at := j.StartedAt.Add(time.Duration(n) * 21 * time.Millisecond)
			b.WriteString(line(at, []string{"docker_network.instance: Creating...", "docker_network.instance: Creation complete after 0s [id=9c1f0b7d]",
				"docker_container.instance: Creating...", "Warning: the image has no digest", "docker_container.instance: Creation complete after 0s [id=" + strings.Repeat("4be7", 16) + "]"}[n%5]))
		}
		if st == job.Failed {
			b.WriteString(line(j.EndedAt, "Error: container exited immediately, on main.tf line 34, in resource \"docker_container\" \"instance\""))
		}
		m.logs[j.ID].write(b.String(), st.Ended())
	}
	step := func(name string, from, to time.Duration, age time.Duration) job.Step {
		s := job.Step{Name: name, StartedAt: now.Add(from - age)}
		if to > 0 {
			s.EndedAt = now.Add(to - age)
		}
		return s
	}
	ms, min := time.Millisecond, time.Minute
	add("running", job.Apply, job.Succeeded, 47*min, step("init", 0, 160*ms, 47*min), step("apply", 160*ms, 780*ms, 47*min), step("outputs", 780*ms, 800*ms, 47*min))
	add("failed", job.Apply, job.Failed, 30*min, step("init", 0, 160*ms, 30*min), job.Step{Name: "apply", StartedAt: now.Add(-30 * min), EndedAt: now.Add(-30*min + 700*ms), Error: "container exited"})
	add("destroyed", job.Destroy, job.Succeeded, 20*60*min, step("destroy", 0, 400*ms, 20*60*min))
	add("deploying", job.Apply, job.Running, 3*time.Second, step("init", 0, 160*ms, 3*time.Second), step("apply", 160*ms, 0, 3*time.Second))
}

// play lets an instance become ready, and its log grow.
func play(m *memory, id string) {
	i := m.instances[id]
	for n := range 40 {
		time.Sleep(150 * time.Millisecond)
		for _, j := range m.jobs {
			if j.Instance == id {
				m.logs[j.ID].write(m.now().UTC().Format("2006-01-02T15:04:05.000Z")+fmt.Sprintf(" docker_container.instance: Still creating... [%d]\n", n), n == 39)
			}
		}
	}
	i.Status, i.ReadyAt, i.Upstream = instance.Running, m.now(), "http://127.0.0.1:32801"
	m.progress[id] = exampleProgress(i)
	m.put(i)
}
