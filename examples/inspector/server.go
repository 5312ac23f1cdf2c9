package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

//go:embed static
var files embed.FS

type server struct {
	environ  []string
	hostname string
	healthy  bool
	started  time.Time
	requests atomic.Int64
	page     *template.Template
	logger   *log.Logger
	quit     func(code int)
	actions  map[string]action
}

// action answers a request to /name/rest.
type action func(w http.ResponseWriter, r *http.Request, rest string)

// newHandler serves the inspector. quit ends the process.
func newHandler(environ []string, logger *log.Logger, quit func(int)) (http.Handler, error) {
	page, err := template.New("").Funcs(template.FuncMap{
		"forwarded": isForwarded,
		"sorted":    sortedHeader,
		"clock":     func(t time.Time) string { return t.Format("15:04:05.000 UTC") },
	}).ParseFS(files, "static/index.html")
	if err != nil {
		return nil, err
	}
	s := &server{
		environ: environ, healthy: !unhealthy(environ), started: time.Now().UTC(),
		page: page, logger: logger, quit: quit,
	}
	s.hostname, _ = os.Hostname()
	s.actions = map[string]action{
		"healthz": s.health, "json": s.json, "status": s.status, "delay": s.delay, "stream": s.stream, "echo": s.echo,
		"bytes": s.bytes, "ws": s.socket, "cookie": s.setCookie, "exit": s.exit,
		"base.css": asset(app.BaseCSS), "inspector.css": file("inspector.css"), "inspector.js": file("inspector.js"),
	}
	return app.Guard(s), nil
}

func unhealthy(environ []string) bool {
	return slices.Contains(environ, "UNHEALTHY=1") || slices.Contains(environ, "UNHEALTHY=true")
}

func asset(h http.HandlerFunc) action {
	return func(w http.ResponseWriter, r *http.Request, _ string) { h(w, r) }
}

func file(name string) action {
	return func(w http.ResponseWriter, r *http.Request, _ string) {
		http.ServeFileFS(w, r, files, "static/"+name)
	}
}

// ServeHTTP looks at the first part of the path. An http.ServeMux would redirect a path like
// /a/../b, and this app is there to show it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if act, ok := s.actions[name]; ok {
		act(w, r, rest)
		return
	}
	s.show(w, r, "")
}

func (s *server) health(w http.ResponseWriter, r *http.Request, _ string) {
	if !s.healthy {
		http.Error(w, "unhealthy, as UNHEALTHY says", http.StatusServiceUnavailable)
		return
	}
	app.Healthy(w, r)
}

// show answers with the page, or with JSON to who prefers that.
func (s *server) show(w http.ResponseWriter, r *http.Request, _ string) {
	if !strings.Contains(r.Header.Get("Accept"), "text/html") && strings.Contains(r.Header.Get("Accept"), "json") {
		s.json(w, r, "")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept")
	if err := s.page.ExecuteTemplate(w, "index.html", s.report(r)); err != nil {
		s.logger.Print(err)
	}
}

func (s *server) json(w http.ResponseWriter, r *http.Request, _ string) {
	report := s.report(r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(report); err != nil {
		s.logger.Print(err)
	}
}

// line is one header's value.
type line struct{ Name, Value string }

func sortedHeader(h http.Header) (out []line) {
	for name, values := range h {
		for _, v := range values {
			out = append(out, line{name, v})
		}
	}
	slices.SortStableFunc(out, func(a, b line) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// failAtStart says why the app refuses to start: three lines for the log.
func failAtStart(reason string) string {
	return fmt.Sprintf("inspector: reading the settings\ninspector: FAIL_AT_START is set: %s\ninspector: giving up, exit code 3\n", reason)
}
