package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"net/http"
	"time"
)

//go:embed docs
var docsFiles embed.FS

// registerDocs serves the description of the API for programs, and as a page.
func (s *service) registerDocs(mux *http.ServeMux) {
	api := s.huma.OpenAPI()
	tidySpec(api)
	spec, err := json.Marshal(api)
	if err != nil {
		panic(err) // a fault in this package's own descriptions
	}
	page, err := docsPage(api)
	if err != nil {
		panic(err)
	}
	css, err := docsFiles.ReadFile("docs/docs.css")
	if err != nil {
		panic(err)
	}
	serve := func(path, name, mediaType string, data []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Type", mediaType)
			h.Set("Cache-Control", "no-cache")
			h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
		})
	}
	serve("/api/openapi.json", "openapi.json", "application/openapi+json", spec)
	serve("/api/docs", "docs.html", "text/html; charset=utf-8", page)
	serve("/api/docs.css", "docs.css", "text/css; charset=utf-8", css)
}
