package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/client"
)

// Buckets is what the API needs of the objects that state machines read and
// write. What the actor may not see or do is Forbidden.
type Buckets interface {
	// Buckets gives the names of all buckets, in their order.
	Buckets(ctx context.Context, actor iap.Actor) ([]string, error)
	// Objects gives at most limit objects whose keys have a prefix and come after
	// after, in the order of the keys.
	Objects(ctx context.Context, actor iap.Actor, bucket, prefix, after string, limit int) ([]bucket.Object, error)
	// Object opens an object.
	Object(ctx context.Context, actor iap.Actor, bucket, key string) (bucket.Object, io.ReadCloser, error)
	// PutObject writes an object, or replaces it; nothing is there after an error.
	PutObject(ctx context.Context, actor iap.Actor, bucket, key string, r io.Reader) (bucket.Object, error)
	DeleteObject(ctx context.Context, actor iap.Actor, bucket, key string) error
}

const (
	// maxObject is how many bytes one upload may have, as S3's PutObject.
	maxObject = 5 << 30
	// objectTime is how long a transfer may stand still.
	objectTime = time.Minute
)

func (s *service) registerBuckets() {
	if s.cfg.Buckets == nil {
		return
	}
	tags := []string{"Buckets"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/buckets", OperationID: "list-buckets", Tags: tags,
		Summary: "The buckets that state machines read and write; for admins", Errors: []int{403}}, s.listBuckets)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/buckets/{bucket}/objects", OperationID: "list-objects", Tags: tags,
		Summary: "Objects of a bucket in the order of their keys", Errors: []int{403, 422}}, s.listObjects)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/buckets/{bucket}/object", OperationID: "get-object", Tags: tags,
		Summary: "The content of an object",
		Responses: map[string]*huma.Response{"200": {Description: "The object",
			Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
		Errors: []int{403, 404, 422}}, s.getObject)
	register(s, huma.Operation{Method: http.MethodPut, Path: "/buckets/{bucket}/object", OperationID: "put-object", Tags: tags,
		Summary: "Write an object, or replace it", Description: "It is there whole or not at all; a bucket comes into being with its first object.",
		Middlewares: huma.Middlewares{withObject}, Errors: []int{400, 403, 409, 413, 422, 503, 507}}, s.putObject)
	s.huma.OpenAPI().Paths[prefix+"/buckets/{bucket}/object"].Put.RequestBody = &huma.RequestBody{Required: true,
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/buckets/{bucket}/object", OperationID: "delete-object", Tags: tags,
		Summary: "Remove an object", DefaultStatus: http.StatusNoContent, Errors: []int{403, 404, 422}}, s.deleteObject)
}

func (s *service) listBuckets(ctx context.Context, _ *struct{}) (*bodyOf[client.List[client.Bucket]], error) {
	names, err := s.cfg.Buckets.Buckets(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	out := client.List[client.Bucket]{Items: []client.Bucket{}}
	for _, n := range names {
		out.Items = append(out.Items, client.Bucket{Name: n})
	}
	return &bodyOf[client.List[client.Bucket]]{out}, nil
}

type objectsInput struct {
	Bucket string `path:"bucket" maxLength:"200" doc:"Name of the bucket"`
	Prefix string `query:"prefix" maxLength:"1024" doc:"What the keys begin with"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	After  string `query:"after" maxLength:"1024" doc:"\"next\" of the page before"`
}

func (s *service) listObjects(ctx context.Context, in *objectsInput) (*bodyOf[client.List[client.Object]], error) {
	list, err := s.cfg.Buckets.Objects(ctx, actor(ctx), in.Bucket, in.Prefix, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Object]{Items: []client.Object{}}
	for _, o := range list {
		out.Items = append(out.Items, wireObject(in.Bucket, o))
	}
	if len(list) == in.Limit {
		out.Next = list[len(list)-1].Key
	}
	return &bodyOf[client.List[client.Object]]{out}, nil
}

func wireObject(name string, o bucket.Object) client.Object {
	return client.Object{Bucket: name, Key: o.Key, Size: o.Size, ModifiedAt: ms(o.ModifiedAt)}
}

type objectInput struct {
	Bucket string `path:"bucket" maxLength:"200" doc:"Name of the bucket"`
	Key    string `query:"key" required:"true" maxLength:"2000" doc:"Key of the object, such as people/2026.csv"`
}

func (s *service) getObject(ctx context.Context, in *objectInput) (*huma.StreamResponse, error) {
	o, body, err := s.cfg.Buckets.Object(ctx, actor(ctx), in.Bucket, in.Key)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer body.Close()
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", "attachment")
		w.Header().Set("Content-Length", strconv.FormatInt(o.Size, 10))
		w.WriteHeader(http.StatusOK)
		if _, err := io.Copy(patientWriter{w, http.NewResponseController(w)}, io.LimitReader(body, o.Size)); err != nil {
			panic(http.ErrAbortHandler) // so that the reader sees that it is not whole
		}
	}}, nil
}

// patientWriter gives each write the same time.
type patientWriter struct {
	w  io.Writer
	rc *http.ResponseController
}

func (p patientWriter) Write(b []byte) (int, error) {
	_ = p.rc.SetWriteDeadline(time.Now().Add(objectTime))
	return p.w.Write(b)
}

type objectBodyKey struct{}

// withObject hands the body on to putObject, which never has it in memory as a
// whole.
func withObject(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	body := patientReader{http.MaxBytesReader(w, r.Body, maxObject), http.NewResponseController(w)}
	next(huma.WithValue(ctx, objectBodyKey{}, io.Reader(body)))
}

// patientReader gives each read the same time.
type patientReader struct {
	r  io.Reader
	rc *http.ResponseController
}

func (p patientReader) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(time.Now().Add(objectTime))
	return p.r.Read(b)
}

func (s *service) putObject(ctx context.Context, in *objectInput) (*bodyOf[client.Object], error) {
	body, _ := ctx.Value(objectBodyKey{}).(io.Reader)
	from := &bodyReader{Reader: body}
	o, err := s.cfg.Buckets.PutObject(ctx, actor(ctx), in.Bucket, in.Key, from)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(from.err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, "the object is larger than %d GiB", maxObject>>30)
	case from.err != nil:
		return nil, newProblem(http.StatusBadRequest, "the object did not come whole")
	case err != nil:
		return nil, err
	}
	return &bodyOf[client.Object]{wireObject(in.Bucket, o)}, nil
}

// bodyReader keeps the error of a body, to tell it from those of the disk.
type bodyReader struct {
	io.Reader
	err error
}

func (r *bodyReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func (s *service) deleteObject(ctx context.Context, in *objectInput) (*struct{}, error) {
	return nil, s.cfg.Buckets.DeleteObject(ctx, actor(ctx), in.Bucket, in.Key)
}
