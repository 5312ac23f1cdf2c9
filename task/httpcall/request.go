package httpcall

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	iap "github.com/internal-app-portal/iap"
)

// arguments are those of http:invoke; see Doc.
type arguments struct {
	ApiEndpoint     string
	Method          string
	Headers         map[string]json.RawMessage
	QueryParameters map[string]json.RawMessage
	RequestBody     json.RawMessage
	Transform       struct {
		RequestBodyEncoding    string
		RequestEncodingOptions struct{ ArrayFormat string }
	}
	Authentication struct{ ConnectionArn string }
	Tls            struct{ CertificateAuthorities string }
	TimeoutSeconds *int
	Retry          *retry
}

// request is what one try sends.
type request struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// forbidden are the headers of the connection itself, and those by which
// servers behind proxies believe who asks.
var forbidden = []string{"Host", "Connection", "Content-Length", "Transfer-Encoding", "Te", "Trailer", "Upgrade", "Expect",
	"Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Via", "Forwarded"}

// build checks the arguments and makes the request of them.
func (a *arguments) build() (*request, error) {
	u, err := endpoint(a.ApiEndpoint)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(methods, a.Method) {
		return nil, iap.FieldErrorf("", "Method", "%q is not one of %s", short(a.Method), strings.Join(methods, ", "))
	}
	r := &request{method: a.Method, url: u, header: http.Header{"User-Agent": {"iap"}}}
	if err := r.query(a.QueryParameters); err != nil {
		return nil, err
	}
	if err := r.headers(a.Headers); err != nil {
		return nil, err
	}
	return r, r.write(a)
}

func endpoint(text string) (*url.URL, error) {
	const field = "ApiEndpoint"
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, iap.FieldErrorf("", field, "%q is not a URL such as https://api.example.com/builds", short(text))
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, iap.FieldErrorf("", field, "the scheme is %q; it must be https or http", short(u.Scheme))
	case u.User != nil:
		return nil, iap.FieldErrorf("", field, "it must not hold a user or password; use a connection")
	}
	u.Fragment = ""
	return u, nil
}

func (r *request) query(given map[string]json.RawMessage) error {
	q := r.url.Query()
	for name, v := range given {
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil {
			list = []json.RawMessage{v}
		}
		for _, item := range list {
			text, ok := plain(item)
			if !ok {
				return iap.FieldErrorf("", "QueryParameters."+name, "it must be a text, a number or a flag, or a list of them")
			}
			q.Add(name, text)
		}
	}
	if len(given) > 0 {
		r.url.RawQuery = q.Encode()
	}
	return nil
}

func (r *request) headers(given map[string]json.RawMessage) error {
	for name, v := range given {
		key := textproto.CanonicalMIMEHeaderKey(name)
		text, ok := plain(v)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return iap.FieldErrorf("", "Headers", "%q cannot be the name of a header", short(name))
		case slices.Contains(forbidden, key) || strings.HasPrefix(key, "X-Forwarded-"):
			return iap.FieldErrorf("", "Headers."+name, "this header is not yours to set; leave it out")
		case !ok || !httpguts.ValidHeaderFieldValue(text):
			return iap.FieldErrorf("", "Headers."+name, "it must be a text without line breaks")
		}
		r.header.Set(key, text)
	}
	return nil
}

// plain writes a text, number or flag as text.
func plain(v json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(v, &s) == nil && len(v) > 0 && v[0] == '"' {
		return s, true
	}
	v = bytes.TrimSpace(v)
	if len(v) == 0 || v[0] == '{' || v[0] == '[' || string(v) == "null" {
		return "", false
	}
	return string(v), true
}

// write writes the body.
func (r *request) write(a *arguments) error {
	switch a.Transform.RequestBodyEncoding {
	case "", "NONE":
	case "URL_ENCODED":
		form, err := encode(a.RequestBody, a.Transform.RequestEncodingOptions.ArrayFormat)
		r.body = []byte(form)
		r.header.Set("Content-Type", "application/x-www-form-urlencoded")
		return err
	default:
		return iap.FieldErrorf("", "Transform.RequestBodyEncoding", "%q is neither NONE nor URL_ENCODED",
			short(a.Transform.RequestBodyEncoding))
	}
	if len(a.RequestBody) == 0 || string(a.RequestBody) == "null" {
		return nil
	}
	r.body = a.RequestBody
	if t := r.header.Get("Content-Type"); t == "" {
		r.header.Set("Content-Type", "application/json")
	} else if text, ok := plain(a.RequestBody); ok && !isJSON(t) {
		r.body = []byte(text)
	}
	return nil
}

// make makes the request of one try.
func (r *request) make(ctx context.Context) (*http.Request, error) {
	out, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	out.Header = r.header.Clone()
	return out, nil
}

// maxShown is how much of a wrong text an error shows, in bytes.
const maxShown = 100

func short(s string) string {
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}
