package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
)

const (
	maxUpload  = 25 << 20 // bytes of a whole upload
	maxIcon    = 1 << 20  // bytes of the icon in it
	uploadTime = 2 * time.Minute
)

type uploadKey struct{}

type versionOut struct {
	Status   int
	Location string `header:"Location"`
	Body     client.AppVersion
}

func (s *service) registerUpload(tags []string) {
	register(s, huma.Operation{Method: http.MethodPost, Path: "/apps", OperationID: "add-app", Tags: tags,
		Summary:     "Add an app, or a version of one; for publishers",
		Description: "The content of the newest version again is no new version: it is returned with 200.",
		Responses: map[string]*huma.Response{
			"200": {Description: "It is the newest version already"}, "201": {Description: "It was added"}},
		DefaultStatus: http.StatusCreated,
		Middlewares:   huma.Middlewares{withUpload},
		Errors:        []int{400, 403, 413, 415, 422, 503, 507}}, s.addApp)
	// Declared afterwards: the framework would read and check a declared body.
	part := func(doc string) *huma.Schema {
		return &huma.Schema{Type: "string", Format: "binary", Description: doc}
	}
	s.huma.OpenAPI().Paths[prefix+"/apps"].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{Type: "object", Required: []string{"manifest"},
			Properties: map[string]*huma.Schema{
				"manifest":           part("iap.yaml"),
				"bundle":             part("Zip of the bundle's folder; absent: the platform's built-in bundle"),
				"icon":               part("The file that the manifest's icon names"),
				"skip_certification": {Type: "string", Enum: []any{"true", "false"}, Description: "Let people have it at once; for admins"},
			}}}}}
}

// withUpload hands the request on to addApp, which reads it part by part
// within its limits; the framework would read it as a whole first.
func withUpload(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTime))
	next(huma.WithValue(ctx, uploadKey{}, r))
}

func (s *service) addApp(ctx context.Context, _ *struct{}) (*versionOut, error) {
	a := actor(ctx)
	if !a.Role.Includes(iap.Publisher) {
		return nil, iap.Errorf("api.AddApp", iap.Forbidden, "adding apps needs the role publisher; yours is %s", a.Role)
	}
	r, _ := ctx.Value(uploadKey{}).(*http.Request)
	up, err := readUpload(r)
	if err != nil {
		return nil, err
	}
	// Whether Add makes a version is seen by the newest one before it.
	before := 0
	if m, err := catalog.ParseManifest(up.Manifest); err == nil {
		if app, err := s.cfg.Catalog.Get(ctx, m.Slug); err == nil {
			before = app.Newest
		}
	}
	v, err := s.cfg.Catalog.Add(ctx, a, up)
	if err != nil {
		return nil, err
	}
	wire, err := wireVersion(v)
	if err != nil {
		return nil, err
	}
	out := &versionOut{Status: http.StatusCreated, Location: prefix + "/apps/" + v.App, Body: wire}
	if v.Number <= before {
		out.Status = http.StatusOK
	}
	return out, nil
}

// readUpload reads the parts of an upload; each may be there once.
func readUpload(r *http.Request) (up catalog.Upload, err error) {
	if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "multipart/form-data" {
		return up, newProblem(http.StatusUnsupportedMediaType,
			"send the app as multipart/form-data with the parts manifest, bundle and icon")
	}
	form, err := r.MultipartReader()
	if err != nil {
		return up, newProblem(http.StatusBadRequest, "the form cannot be read: its Content-Type has no boundary")
	}
	var skip []byte
	parts := map[string]*[]byte{"manifest": &up.Manifest, "bundle": &up.Bundle, "icon": &up.Icon, "skip_certification": &skip}
	limits := map[string]int64{"manifest": catalog.MaxManifest, "bundle": maxUpload, "icon": maxIcon, "skip_certification": 5}
	for {
		p, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return up, uploadProblem(err)
		}
		if err := readPart(p, parts, limits); err != nil {
			return up, err
		}
	}
	if len(up.Manifest) == 0 {
		return up, iap.FieldErrorf("api.AddApp", "manifest", "is missing: the content of iap.yaml")
	}
	switch text := string(skip); text {
	case "", "false":
	case "true":
		up.SkipCertification = true
	default:
		return up, iap.FieldErrorf("api.AddApp", "skip_certification", "%q is neither true nor false", text)
	}
	return up, nil
}

func readPart(p *multipart.Part, parts map[string]*[]byte, limits map[string]int64) error {
	const op = "api.AddApp"
	name := p.FormName()
	to, known := parts[name]
	switch {
	case !known:
		return iap.FieldErrorf(op, clean(name), "is not a part of an app: manifest, bundle, icon or skip_certification")
	case *to != nil:
		return iap.FieldErrorf(op, name, "is there twice")
	}
	data, err := io.ReadAll(io.LimitReader(p, limits[name]+1))
	if err != nil {
		return uploadProblem(err)
	}
	if int64(len(data)) > limits[name] {
		return iap.FieldErrorf(op, name, "is larger than %d KiB", limits[name]>>10)
	}
	*to = append([]byte{}, data...)
	return nil
}

// clean cuts a name that came from outside for an error.
func clean(name string) string {
	if len(name) > 40 {
		name = name[:40] + "…"
	}
	if name == "" {
		return "(a part without a name)"
	}
	return name
}

func uploadProblem(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return newProblem(http.StatusRequestEntityTooLarge, "the upload is larger than %d MiB", maxUpload>>20)
	}
	return newProblem(http.StatusBadRequest, "the form cannot be read: %v", err)
}
