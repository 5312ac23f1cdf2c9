package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
)

//go:embed templates
var templateFiles embed.FS

// templates are the parts of pages and the pages, in one set: a set for each page
// would hold a copy of all parts.
type templates struct {
	set  *template.Template
	bufs sync.Pool
}

// ownNames are what each page defines, or the layout uses of it.
var ownNames = regexp.MustCompile(`\{\{(define|template|block) "(layout|head|content)"`)

func (s *Server) loadTemplates() (*templates, error) {
	set, err := template.New("parts").Funcs(s.funcs()).ParseFS(templateFiles, "templates/parts/*.html")
	if err != nil {
		return nil, err
	}
	files, err := templateFiles.ReadDir("templates/pages")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		page := strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
		for _, name := range []string{"layout.html", "pages/" + f.Name()} { // the page's own head comes after the empty one
			text, err := templateFiles.ReadFile("templates/" + name)
			if err != nil {
				return nil, err
			}
			text = ownNames.ReplaceAll(text, []byte(`{{$1 "`+ownName(page, "$2")+`"`))
			if _, err := set.New(name + " of " + page).Parse(string(text)); err != nil {
				return nil, err
			}
		}
	}
	t := &templates{set: set}
	t.bufs.New = func() any { return new(bytes.Buffer) }
	return t, nil
}

// ownName is the name of what a page has for itself: its layout, head or content.
func ownName(page, name string) string { return page + "/" + name }

func (s *Server) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":   s.assets.address,
		"icon":    icon,
		"time":    s.timeTag,
		"clock":   s.clockTag,
		"moment":  s.momentTag,
		"ends":    s.endsTag,
		"seconds": seconds,
		"money":   money,
		"lower":   strings.ToLower,
		"capital": capital,
		"reason":  splitReason,
		"join":    strings.Join,
		"plural": func(n int, one, many string) string {
			if n == 1 {
				return "1 " + one
			}
			return strconv.Itoa(n) + " " + many
		},
		"dict":  dict,
		"split": strings.Fields,
		"code":  codeWords,
		"intOf": func(n int64) int { return int(n) },
	}
}

// codeWords writes what stands between backticks as code.
func codeWords(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}

// dict makes a map of its arguments, for a part that needs several values.
func dict(pairs ...any) (map[string]any, error) {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// layout is what every page has.
type layout struct {
	Title   string
	Actor   iap.Actor
	Admin   bool
	Dev     bool
	Version string
	Path    string
	Books   bool  // there are pages of bookings
	Leaks   bool  // there is a page of leaks for the actor
	Times   bool  // there are pages of schedules for the actor
	Flows   bool  // there are pages of state machines for the actor
	Told    bool  // there are pages of events for the actor
	Dead    int   // dead letters that the actor is to know of; at most mostDead
	Live    bool  // the page follows the stream
	Last    int64 // number of the newest event before the page's data was read
	Now     time.Time
}

// layout must be made before a page's data is read: see doc.go.
func (s *Server) layout(r *http.Request, actor iap.Actor, title string) layout {
	told := s.cfg.Reader != nil && s.cfg.Deliveries != nil && actor.Role.Includes(iap.Admin)
	l := layout{Title: title, Actor: actor, Admin: actor.Role.Includes(iap.Admin), Dev: s.cfg.Dev, Version: s.cfg.Version,
		Books: s.cfg.Bookings != nil,
		Leaks: s.cfg.Leaks != nil && actor.Role.Includes(iap.Admin),
		Times: s.cfg.Schedules != nil && actor.Role.Includes(iap.Admin),
		Flows: s.cfg.Workflows != nil && actor.Role.Includes(iap.Admin),
		Told:  told,
		Path:  r.URL.Path, Live: actor.ID != "", Last: s.cfg.Events.Last(), Now: s.cfg.Now()}
	if told {
		l.Dead = s.deadLetters(r.Context(), actor)
	}
	return l
}

// At reports whether the page is in one of some parts of the portal.
func (l layout) At(prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return l.Path == p || strings.HasPrefix(l.Path, p+"/") })
}

// render writes a page; nothing is written when it fails.
func (s *Server) render(w http.ResponseWriter, status int, page string, data any) error {
	b := s.pages.bufs.Get().(*bytes.Buffer)
	defer s.pages.bufs.Put(b)
	b.Reset()
	if err := s.pages.set.ExecuteTemplate(b, ownName(page, "layout"), data); err != nil {
		return err
	}
	return writeHTML(w, status, b.Bytes())
}

// part renders a part of a page.
func (s *Server) part(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := s.pages.set.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

func writeHTML(w http.ResponseWriter, status int, html []byte) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Cookie")
	h.Set("Content-Length", strconv.Itoa(len(html)))
	w.WriteHeader(status)
	w.Write(html) // the reader may be gone; there is nobody to tell
	return nil
}
