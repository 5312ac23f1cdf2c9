package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DefaultServer is where a portal listens when nothing else is said.
const DefaultServer = "http://localhost:8080"

// maxAnswer is how many bytes of an answer are read at most.
const maxAnswer = 64 << 20

// Client speaks to one portal. It is safe for use by many goroutines.
type Client struct {
	server string
	token  string
	http   *http.Client
	quiet  time.Duration // see maxQuiet
}

// New returns a client of the portal at server ("http://localhost:8080"),
// signed in by token; an empty token is for a portal in development mode.
func New(server, token string) (*Client, error) {
	server = strings.TrimRight(server, "/")
	if server == "" {
		server = DefaultServer
	}
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("the portal's address %q is not an http or https URL, such as %s", server, DefaultServer)
	}
	if strings.ContainsAny(token, " \r\n\t") {
		return nil, errors.New("the token holds white space: give what \"iap token new\" printed, without quotes or line breaks")
	}
	return &Client{server: server, token: token, http: &http.Client{}, quiet: maxQuiet}, nil
}

// Server returns the portal's address without a slash at the end.
func (c *Client) Server() string { return c.server }

// request describes one call.
type request struct {
	method, path string
	query        url.Values
	body         io.Reader
	contentType  string
	header       http.Header
}

// send makes the call and returns the answer when it is a success; the caller
// closes its body. Errors: *Error, *NoPortalError, ctx's.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	target := c.server + "/api/v1" + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, r.body)
	if err != nil {
		return nil, err
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, &NoPortalError{Server: c.server, Err: err}
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, errorFrom(resp)
	}
	return resp, nil
}

// call makes a call and decodes the answer into out, which may be nil; it
// returns the status.
func (c *Client) call(ctx context.Context, r request, out any) (int, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if out == nil {
		return resp.StatusCode, nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		return 0, fmt.Errorf("the answer of %s cannot be read: %w", c.server, err)
	}
	return resp.StatusCode, nil
}

func (c *Client) post(ctx context.Context, path string, in, out any) (int, error) {
	return c.sendJSON(ctx, request{method: http.MethodPost, path: path}, in, out)
}

// sendJSON makes a call with in as its body; nil is none.
func (c *Client) sendJSON(ctx context.Context, r request, in, out any) (int, error) {
	if in != nil {
		var body bytes.Buffer
		e := json.NewEncoder(&body)
		e.SetEscapeHTML(false) // an execution's input stays as it was written
		if err := e.Encode(in); err != nil {
			return 0, err
		}
		r.body, r.contentType = bytes.NewReader(body.Bytes()), "application/json"
	}
	return c.call(ctx, r, out)
}

// get returns what is at a path.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (out T, err error) {
	_, err = c.call(ctx, request{method: http.MethodGet, path: path, query: query}, &out)
	return out, err
}

// items returns the items of the list at a path.
func items[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	out, err := get[List[T]](ctx, c, path, query)
	return out.Items, err
}

// send makes a call with in as its body, nil for none, and returns the answer.
func send[T any](ctx context.Context, c *Client, method, path string, in any) (out T, err error) {
	_, err = c.sendJSON(ctx, request{method: method, path: path}, in, &out)
	return out, err
}

// remove deletes what is at a path.
func (c *Client) remove(ctx context.Context, path string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: path}, nil)
	return err
}

// query has those values that choose something: texts that are not empty, numbers
// above 0, what is true, times that are set.
func query(values map[string]any) url.Values {
	q := url.Values{}
	for k, v := range values {
		text := ""
		switch v := v.(type) {
		case string:
			text = v
		case int:
			text = positive(int64(v))
		case int64:
			text = positive(v)
		case bool:
			text = strings.TrimPrefix(strconv.FormatBool(v), "false")
		case time.Time:
			if !v.IsZero() {
				text = v.UTC().Format(time.RFC3339Nano)
			}
		}
		if text != "" {
			q.Set(k, text)
		}
	}
	return q
}

func positive(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// seg escapes one segment of a path.
func seg(s string) string {
	if s == "." || s == ".." { // the escaped forms would be cleaned away on the way
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}
