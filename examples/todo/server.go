package main

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log"
	"net/http"
	"strconv"
	"time"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

// beat is how often a silent stream says that it lives, so that no proxy closes it.
const beat = 20 * time.Second

//go:embed static
var files embed.FS

type server struct {
	store  *Store
	title  string
	page   *template.Template
	logger *log.Logger
}

// newHandler serves the list under the given title.
func newHandler(store *Store, title string, logger *log.Logger) (http.Handler, error) {
	page, err := template.ParseFS(files, "static/index.html")
	if err != nil {
		return nil, err
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	s := &server{store: store, title: title, page: page, logger: logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", app.Healthy)
	mux.HandleFunc("GET /base.css", app.BaseCSS)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /api/items", s.list)
	mux.HandleFunc("POST /api/items", s.add)
	mux.HandleFunc("PATCH /api/items/{id}", s.edit)
	mux.HandleFunc("DELETE /api/items/{id}", s.remove)
	mux.HandleFunc("DELETE /api/done", s.clear)
	mux.HandleFunc("GET /api/events", s.events)
	return app.Guard(http.NewCrossOriginProtection().Handler(mux)), nil
}

func (s *server) index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = s.page.Execute(w, map[string]any{
		"Title": s.title, "Persistent": s.store.Persistent(), "MaxText": maxText,
	})
}

// snapshot is what a browser shows.
type snapshot struct {
	Version int64  `json:"version"`
	Items   []Item `json:"items"`
}

func (s *server) snapshot() snapshot {
	items, version := s.store.Now()
	if items == nil {
		items = []Item{}
	}
	return snapshot{version, items}
}

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.snapshot())
}

func (s *server) add(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if !s.read(w, r, &in) {
		return
	}
	item, err := s.store.Add(in.Text)
	if err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, http.StatusCreated, item)
}

func (s *server) edit(w http.ResponseWriter, r *http.Request) {
	id, ok := s.itemID(w, r)
	if !ok {
		return
	}
	var in struct {
		Text   *string `json:"text"`
		Done   *bool   `json:"done"`
		Before *int64  `json:"before"` // 0 moves to the end
	}
	if !s.read(w, r, &in) {
		return
	}
	var changes []Change
	if in.Text != nil {
		text, err := cleanText(*in.Text)
		if err != nil {
			s.refuse(w, err)
			return
		}
		changes = append(changes, Change{Op: "text", ID: id, Text: text})
	}
	if in.Done != nil {
		changes = append(changes, Change{Op: "done", ID: id, Done: *in.Done})
	}
	if in.Before != nil && *in.Before != id {
		changes = append(changes, Change{Op: "move", ID: id, Before: *in.Before})
	}
	s.do(w, changes...)
}

func (s *server) remove(w http.ResponseWriter, r *http.Request) {
	if id, ok := s.itemID(w, r); ok {
		s.do(w, Change{Op: "delete", ID: id})
	}
}

func (s *server) clear(w http.ResponseWriter, _ *http.Request) { s.do(w, Change{Op: "clear"}) }

func (s *server) do(w http.ResponseWriter, changes ...Change) {
	if err := s.store.Do(changes...); err != nil {
		s.refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// events streams the whole list at once and after each change, as Server-Sent Events (HTML Living
// Standard, section 9.2).
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	changed, stop := s.store.Watch()
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		now := s.snapshot()
		data, err := json.Marshal(now)
		if err != nil || out.SetWriteDeadline(time.Now().Add(2*beat)) != nil {
			return // who takes nothing for that long is gone
		}
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", now.Version, data); err != nil {
			return
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-tick.C: // the same list once more: cheap, and it shows whether somebody is there
		case <-r.Context().Done():
			return
		}
	}
}

func (s *server) itemID(w http.ResponseWriter, r *http.Request) (int64, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		s.refuse(w, errNotFound)
		return 0, false
	}
	return id, true
}

func (s *server) read(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		s.refuse(w, fmt.Errorf("the request is not the JSON object it should be: %w", err))
		return false
	}
	return true
}

func (s *server) refuse(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, errNotFound):
		status = http.StatusNotFound
	case errors.Is(err, errFull):
		status = http.StatusConflict
	case errors.Is(err, errNotSaved):
		s.logger.Print(err) // the cause is for whoever runs the app, not for the browser
		status, err = http.StatusInsufficientStorage, errNotSaved
	}
	answer(w, status, map[string]string{"error": err.Error()})
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
