package api

import (
	"encoding/json"
	"net/http"
)

// registerDocs serves the description of the API.
func (s *service) registerDocs(mux *http.ServeMux) {
	spec, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		panic(err) // a fault in this package's own descriptions
	}
	mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(spec)
	})
}
