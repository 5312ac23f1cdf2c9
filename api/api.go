package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/client"
)

// prefix is where the API is.
const prefix = "/api/v1"

// service holds what the handlers need.
type service struct {
	cfg  Config
	log  *slog.Logger
	huma huma.API
}

// New returns the handler of /api/, which ends streams when a request's
// context or cfg.Done ends.
func New(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Heartbeat <= 0 {
		cfg.Heartbeat = 15 * time.Second
	}
	s := &service{cfg: cfg, log: cfg.Logger}
	mux := http.NewServeMux()
	s.huma = humago.New(mux, humaConfig(cfg.Version))
	s.registerInstances()
	s.registerKeep()
	s.registerCost()
	s.registerSweeps()
	s.registerLeaks()
	s.registerApps()
	s.registerJobs()
	s.registerMachines()
	s.registerExecutions()
	s.registerMapRuns()
	s.registerBuckets()
	s.registerEvents()
	s.registerEventTypes()
	s.registerRules()
	s.registerTargets()
	s.registerLetters()
	s.registerSchedules()
	s.registerBookings()
	s.registerStream()
	s.registerMeta()
	s.registerDocs(mux)
	for _, path := range []string{"/api", "/api/{$}", prefix, prefix + "/{$}"} {
		mux.Handle("GET "+path, http.RedirectHandler("/api/docs", http.StatusSeeOther))
	}
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.write(w, newProblem(http.StatusForbidden, "a page of another site sent this request"))
	}))
	return s.recover(origins.Handler(s.identify(s.route(mux))))
}

func humaConfig(version string) huma.Config {
	json := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Internal App Portal", Version: version,
				Description: "Deploys a company's apps: one click to a private address, and back to nothing."},
			Components: &huma.Components{
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token": {Type: "http", Scheme: "bearer", Description: "A person's token, made by \"iap token new\""},
				},
			},
			Security: []map[string][]string{{"token": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": json, "json": json},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{fromHuma},
	}
}

// identify puts who asks into the context.
func (s *service) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if actor, ok := s.cfg.Auth.Actor(r); ok {
			r = r.WithContext(iap.WithActor(r.Context(), actor))
		}
		next.ServeHTTP(w, r)
	})
}

// route answers with problem details where the mux would answer with text.
func (s *service) route(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		rec := &headerRecorder{header: http.Header{}}
		h.ServeHTTP(rec, r)
		switch {
		case rec.status == http.StatusMethodNotAllowed:
			p := newProblem(rec.status, "%s is not possible here: %s", r.Method, rec.header.Get("Allow"))
			p.header.Set("Allow", rec.header.Get("Allow"))
			s.write(w, p)
		default:
			s.write(w, newProblem(http.StatusNotFound, "there is nothing at %.200q; /api/docs lists what there is", r.URL.Path))
		}
	})
}

// headerRecorder takes an answer's status and header and drops the rest.
type headerRecorder struct {
	header http.Header
	status int
}

func (r *headerRecorder) Header() http.Header         { return r.header }
func (r *headerRecorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *headerRecorder) WriteHeader(status int)      { r.status = status }

// recover turns a panic into a 500 with a reference.
func (s *service) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				err := fmt.Errorf("panic: %v\n%s", v, debug.Stack())
				s.write(w, internalProblem(r.Context(), s.log, err))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// write answers with a problem outside of a huma handler.
func (s *service) write(w http.ResponseWriter, p *problem) {
	for k, v := range p.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p.Problem)
}

// public marks an operation that needs nobody to be signed in.
var public = []map[string][]string{}

// register adds an operation. Unless its Security is public, fn is called with
// an actor in ctx alone; fn's errors become problems.
func register[I, O any](s *service, op huma.Operation, fn func(ctx context.Context, in *I) (*O, error)) {
	op.Path = prefix + op.Path
	needsActor := op.Security == nil
	if needsActor {
		op.Errors = append(op.Errors, http.StatusUnauthorized)
		op.Middlewares = append(huma.Middlewares{s.require}, op.Middlewares...)
	}
	op.Errors = append(op.Errors, http.StatusInternalServerError)
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, problemOf(ctx, s.log, err)
		}
		return out, nil
	})
}

// require refuses those who are not signed in before their input is read.
func (s *service) require(ctx huma.Context, next func(huma.Context)) {
	if _, ok := iap.ActorFrom(ctx.Context()); !ok {
		_, w := humago.Unwrap(ctx)
		s.write(w, newProblem(http.StatusUnauthorized, "%s", auth.Refusal))
		return
	}
	next(ctx)
}

// actor returns who asks; register sees to it that there is somebody.
func actor(ctx context.Context) iap.Actor {
	a, _ := iap.ActorFrom(ctx)
	return a
}

type bodyOf[T any] struct{ Body T }

func (s *service) registerMeta() {
	register(s, huma.Operation{Method: http.MethodGet, Path: "/me", OperationID: "me", Tags: []string{"Portal"},
		Summary: "Who asks"},
		func(ctx context.Context, _ *struct{}) (*bodyOf[client.Me], error) {
			a := actor(ctx)
			return &bodyOf[client.Me]{client.Me{ID: a.ID, Name: a.Name, Role: string(a.Role)}}, nil
		})
	register(s, huma.Operation{Method: http.MethodGet, Path: "/version", OperationID: "version", Tags: []string{"Portal"},
		Summary: "Which program answers", Security: public},
		func(context.Context, *struct{}) (*bodyOf[client.VersionInfo], error) {
			return &bodyOf[client.VersionInfo]{client.VersionInfo{Version: s.cfg.Version, Go: runtime.Version(), API: "v1"}}, nil
		})
	type schemaOut struct {
		ContentType string `header:"Content-Type"`
		Body        []byte
	}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/iap.schema.json", OperationID: "iap-schema", Tags: []string{"Portal"},
		Summary: "JSON Schema of iap.yaml, for editors", Security: public,
		Responses: map[string]*huma.Response{"200": {Description: "A JSON Schema",
			Content: map[string]*huma.MediaType{"application/schema+json": {Schema: &huma.Schema{Type: "object"}}}}}},
		func(context.Context, *struct{}) (*schemaOut, error) {
			return &schemaOut{ContentType: "application/schema+json", Body: s.cfg.Schema}, nil
		})
}
