package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

//go:embed docs
var docsFiles embed.FS

// registerDocs serves the description of the API for programs, and as a page.
func (s *service) registerDocs(mux *http.ServeMux) {
	api := s.huma.OpenAPI()
	tidySpec(api)
	// Both are made when somebody asks: a portal's start need not wait for them.
	spec := sync.OnceValue(func() []byte { return must(json.Marshal(api)) })
	page := sync.OnceValue(func() []byte { return must(docsPage(api)) })
	css := must(docsFiles.ReadFile("docs/docs.css"))
	serve := func(path, name, mediaType string, data func() []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Type", mediaType)
			h.Set("Cache-Control", "no-cache")
			h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data()))
		})
	}
	serve("/api/openapi.json", "openapi.json", "application/openapi+json", spec)
	serve("/api/docs", "docs.html", "text/html; charset=utf-8", page)
	serve("/api/docs.css", "docs.css", "text/css; charset=utf-8", func() []byte { return css })
}

// must is for what comes of this package's own descriptions: an error is a fault
// in them.
func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
