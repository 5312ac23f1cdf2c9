package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

type message struct{ id, name, data string }

// listener is an open stream.
type listener struct {
	t    *testing.T
	res  *http.Response
	scan *bufio.Scanner
	stop context.CancelFunc
}

func (p *portal) listen(query, as, lastID string) *listener {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), 2*time.Minute)
	p.t.Cleanup(stop)
	req, _ := http.NewRequestWithContext(ctx, "GET", p.srv.URL+"/stream"+query, nil)
	req.Header.Set("X-Test-Actor", as)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { res.Body.Close() })
	l := &listener{t: p.t, res: res, scan: bufio.NewScanner(res.Body), stop: stop}
	l.scan.Buffer(nil, 1<<20)
	return l
}

// next returns the next message; ok is false when the stream ended.
func (l *listener) next() (m message, ok bool) {
	var data []string
	for l.scan.Scan() {
		line := l.scan.Text()
		switch {
		case strings.HasPrefix(line, "id: "):
			m.id = line[4:]
		case strings.HasPrefix(line, "data: "):
			data = append(data, line[6:])
		case line == "" && len(data) > 0:
			m.name, m.data = data[0], strings.Join(data[1:], "\n")
			return m, true
		}
	}
	return m, false
}

// until returns the next message with a name.
func (l *listener) until(name string) message {
	l.t.Helper()
	for {
		m, ok := l.next()
		if !ok {
			l.t.Fatalf("the stream ended before %q", name)
		}
		if m.name == name {
			return m
		}
	}
}

func (p *portal) change(name string, status instance.Status) instance.Instance {
	i := p.instances[p.ids[name]]
	i.Status = status
	return p.put(i)
}

func TestAnEventReachesItsOwner(t *testing.T) {
	p := start(t)
	l := p.listen("", "", "")
	p.change("running", instance.Destroying)
	m := l.until("instance-" + p.ids["running"])
	contains(t, m.data, "Destroying")
	if strings.Contains(m.data, "Copy link") {
		t.Error("the address is shown though it does not run")
	}
	contains(t, l.until("row-"+p.ids["running"]).data, "brave-otter-lamp-todo", "Destroying")
	contains(t, l.until("mine").data, "brave otter lamp")
	last := l.until("card-todo")
	contains(t, last.data, "Destroying")
	newest, _ := p.LastEventNumber(t.Context())
	if last.id != fmt.Sprint(newest) {
		t.Errorf("the last message of event %d has the id %q", newest, last.id)
	}
}

func TestOthersSeeNothing(t *testing.T) {
	p := start(t)
	l := p.listen("", "jane@example.com", "")
	p.change("running", instance.Destroying)
	own := p.change("queued", instance.Deploying) // jane's
	for {
		m, ok := l.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if strings.Contains(m.name+m.data, p.ids["running"]) || strings.Contains(m.data, "brave otter") {
			t.Fatalf("another's instance: %q", m.name)
		}
		if m.name == "card-"+own.App {
			return
		}
	}
}

func TestAStreamGoesOnWhereItWas(t *testing.T) {
	p := start(t)
	at, _ := p.LastEventNumber(t.Context())
	p.change("running", instance.Destroying)
	p.change("deploying", instance.Checking)
	p.caughtUp(t)
	for name, l := range map[string]*listener{
		"by the page's number":          p.listen(fmt.Sprintf("?last=%d", at), "", ""),
		"by Last-Event-ID":              p.listen("?last=999999", "", fmt.Sprint(at)),
		"in the middle of an event":     p.listen("", "", fmt.Sprintf("%d.1", at+1)),
		"by Last-Event-ID with offsets": p.listen("", "", fmt.Sprintf("%d;x=4", at)),
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.until("instance-" + p.ids["running"])
			l.until("instance-" + p.ids["deploying"])
		})
	}
}

func TestAPlaceThatIsNotThereLoadsAnew(t *testing.T) {
	p := start(t)
	for _, at := range []string{"999999", "99999999999999999"} {
		if m, _ := p.listen("?last="+at, "", "").next(); m.name != "resync" {
			t.Errorf("last=%s: %q", at, m.name)
		}
	}
	l := p.listen("?last=x", "", "-5")
	p.change("running", instance.Destroying)
	if m, _ := l.next(); m.name == "resync" {
		t.Error("a number that is none")
	}
}

func TestForeignPagesGetNoStream(t *testing.T) {
	p := start(t)
	for header, value := range map[string]string{"Origin": "http://evil.example.com", "Sec-Fetch-Site": "cross-site"} {
		req, _ := http.NewRequest("GET", p.srv.URL+"/stream", nil)
		req.Header.Set(header, value)
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 403 {
			t.Errorf("%s: %s gets %s", header, value, res.Status)
		}
	}
	if l := p.listen("", "nobody", ""); l.res.StatusCode != 401 {
		t.Errorf("without a login: %s", l.res.Status)
	}
}

func TestManyStreamsCostOneRendering(t *testing.T) {
	p := start(t)
	var all []*listener
	for range 50 {
		all = append(all, p.listen("", "", ""))
	}
	p.mu.Lock()
	before := p.renders
	p.mu.Unlock()
	p.change("running", instance.Destroying)
	for _, l := range all {
		l.until("card-todo")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.renders - before; n != 1 {
		t.Errorf("rendered %d times for 50 streams of one person", n)
	}
}

func TestLogLinesComeInTheSameStream(t *testing.T) {
	p := start(t)
	id := p.ids["job-deploying"]
	have := len(p.logs[id].data)
	l := p.listen(fmt.Sprintf("?log=%s:%d", id, have), "", "")
	p.logs[id].write("first\nsec", false)
	first := l.until("log-" + id)
	p.logs[id].write("ond <script>\r\nthird\x1b", false)
	second := l.until("log-" + id)
	got := decode(t, first)
	if fmt.Sprint(got.texts) != "[first]" || got.To != int64(have+6) {
		t.Errorf("first piece: %+v", got)
	}
	if got = decode(t, second); fmt.Sprint(got.texts) != "[second <script>\r]" {
		t.Errorf("second piece: %+v", got)
	}
	if want := fmt.Sprintf(";%s=%d", id, got.To); !strings.HasSuffix(second.id, want) {
		t.Errorf("id %q lacks %q", second.id, want)
	}
	l.stop()
	p.logs[id].write("!\n", true)
	l = p.listen(fmt.Sprintf("?log=%s:0", id), "", second.id)
	if got = decode(t, l.until("log-"+id)); got.texts[0] != "third\x1b!" {
		t.Errorf("after the connection broke: %q", got.texts)
	}
	for !got.End {
		got = decode(t, l.until("log-"+id))
	}
}

func TestALogIsForThoseWhoMaySeeIt(t *testing.T) {
	p := start(t)
	id := p.ids["job-deploying"]
	l := p.listen(fmt.Sprintf("?log=%s:0&log=../../x:0&log=%s:-1", id, id), "jane@example.com", "")
	p.change("queued", instance.Deploying)
	for {
		m, ok := l.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if strings.HasPrefix(m.name, "log-") {
			t.Fatal("another's log")
		}
		if m.name == "card-todo" {
			return
		}
	}
}

type decoded struct {
	To    int64
	End   bool
	Lines [][2]any
	texts []string
}

func decode(t *testing.T, m message) (d decoded) {
	t.Helper()
	if err := json.Unmarshal([]byte(m.data), &d); err != nil {
		t.Fatal(err)
	}
	for _, line := range d.Lines {
		d.texts = append(d.texts, line[1].(string))
	}
	return d
}

func TestStopEndsStreams(t *testing.T) {
	p := start(t)
	l := p.listen("?log="+p.ids["job-deploying"]+":0", "", "")
	l.until("log-" + p.ids["job-deploying"])
	p.s.Stop(context.Background()) // waits for the stream
	if m, ok := l.next(); ok {
		t.Errorf("after the stop: %q", m.name)
	}
	if l := p.listen("", "", ""); l.res.StatusCode != 503 {
		t.Errorf("a stream after the stop: %s", l.res.Status)
	}
}

func TestAThousandChangesAreOneRendering(t *testing.T) {
	p := start(t)
	at, _ := p.LastEventNumber(t.Context())
	for range 1000 {
		p.change("running", instance.Running)
	}
	p.change("queued", instance.Deploying)
	p.caughtUp(t)
	l := p.listen(fmt.Sprintf("?last=%d", at), "", "")
	n := 0
	for {
		m, ok := l.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		if m.name == "instance-"+p.ids["running"] {
			n++
		}
		if m.name == "instance-"+p.ids["queued"] {
			break
		}
	}
	if n > 3 {
		t.Errorf("%d messages for one instance", n)
	}
}

func BenchmarkEventTo200Streams(b *testing.B) {
	m := newMemory(time.Now)
	s, err := newServer(m, iap.Actor{ID: me, Role: iap.Admin})
	if err != nil {
		b.Fatal(err)
	}
	ids := example(m)
	w := make([]*sink, 200)
	for n := range w {
		w[n] = &sink{header: http.Header{}, got: make(chan struct{}, 1)}
		req, _ := http.NewRequestWithContext(b.Context(), "GET", "/stream", nil)
		go s.ServeHTTP(w[n], req)
		<-w[n].got
	}
	b.ResetTimer()
	for range b.N {
		i := m.instances[ids["running"]]
		m.put(i)
		for _, w := range w {
			<-w.got
		}
	}
	b.StopTimer()
	s.Stop(context.Background())
}

// sink is a browser that says when something came.
type sink struct {
	header http.Header
	got    chan struct{}
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) FlushError() error           { s.got <- struct{}{}; return nil }

func TestAStreamBringsWhatIsWanted(t *testing.T) {
	p := start(t)
	l := p.listen("?want=card&want=row-"+p.ids["running"], "", "")
	p.change("deploying", instance.Checking)
	p.change("running", instance.Destroying)
	last := "card-" + p.instances[p.ids["running"]].App
	var names []string
	for len(names) == 0 || names[len(names)-1] != last {
		m, ok := l.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		names = append(names, m.name)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "card-") && name != "row-"+p.ids["running"] {
			t.Errorf("%q is not wanted", name)
		}
	}
	if want := "row-" + p.ids["running"]; len(names) < 2 || names[len(names)-2] != want {
		t.Errorf("got %q, without %q", names, want)
	}
}
