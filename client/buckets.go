package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Bucket is a named place of objects that state machines read and write.
type Bucket struct {
	Name string `json:"name"`
}

// Object is what is known of an object in a bucket.
type Object struct {
	Bucket     string    `json:"bucket"`
	Key        string    `json:"key"`
	Size       int64     `json:"size" doc:"Bytes"`
	ModifiedAt time.Time `json:"modified_at"`
}

// Buckets returns all buckets in the order of their names.
func (c *Client) Buckets(ctx context.Context) ([]Bucket, error) {
	return items[Bucket](ctx, c, "/buckets", nil)
}

// Objects returns a page of a bucket's objects whose keys have a prefix, in the
// order of the keys.
func (c *Client) Objects(ctx context.Context, bucket, prefix, after string, limit int) (List[Object], error) {
	return get[List[Object]](ctx, c, "/buckets/"+seg(bucket)+"/objects", query(map[string]any{"prefix": prefix, "after": after, "limit": limit}))
}

func object(method, bucket, key string) request {
	return request{method: method, path: "/buckets/" + seg(bucket) + "/object", query: url.Values{"key": {key}}}
}

// GetObject reads an object; size is -1 when it is not known. The caller closes
// it.
func (c *Client) GetObject(ctx context.Context, bucket, key string) (body io.ReadCloser, size int64, err error) {
	resp, err := c.send(ctx, object(http.MethodGet, bucket, key))
	if err != nil {
		return nil, 0, err
	}
	return resp.Body, resp.ContentLength, nil
}

// PutObject writes an object, or replaces it: whole, or not at all.
func (c *Client) PutObject(ctx context.Context, bucket, key string, body io.Reader) (o Object, err error) {
	r := object(http.MethodPut, bucket, key)
	r.body, r.contentType = body, "application/octet-stream"
	_, err = c.call(ctx, r, &o)
	return o, err
}

// DeleteObject removes an object.
func (c *Client) DeleteObject(ctx context.Context, bucket, key string) error {
	_, err := c.call(ctx, object(http.MethodDelete, bucket, key), nil)
	return err
}
