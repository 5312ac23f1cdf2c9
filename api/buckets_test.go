package api_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/api/apitest"
)

// object sends a request for an object as an admin.
func object(t *testing.T, p *apitest.Portal, token, method, bucket, key string, body io.Reader) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL+"/api/v1/buckets/"+bucket+"/object?key="+url.QueryEscape(key), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestObjects(t *testing.T) {
	p := apitest.New(t, nil)
	for _, c := range []struct {
		token, method, bucket, key, body string
		status                           int
		want                             string
	}{
		{apitest.JaneToken, "PUT", "data", "a", "x", 403, "only admins"},
		{apitest.AnnToken, "PUT", "data", "a/b.csv", "x,y", 200, `"size":3`},
		{apitest.AnnToken, "PUT", "data", "a/b.csv", "", 200, `"size":0`},
		{apitest.AnnToken, "PUT", "data", "a/b.csv", "x,z", 200, `"size":3`},
		{apitest.AnnToken, "GET", "data", "a/b.csv", "", 200, "x,z"},
		{apitest.JaneToken, "GET", "data", "a/b.csv", "", 403, "only admins"},
		{apitest.AnnToken, "GET", "data", "a", "", 404, "there is no object"},
		{apitest.AnnToken, "PUT", "data", "a", "x", 409, "begin with a/"},
		{apitest.AnnToken, "PUT", "data", "a/../../b", "x", 422, "is not a key"},
		{apitest.AnnToken, "PUT", "data", "/etc/passwd", "x", 422, "is not a key"},
		{apitest.AnnToken, "PUT", "data", "", "x", 422, "key"},
		{apitest.AnnToken, "PUT", "data", "nul\x00", "x", 422, "is not a key"},
		{apitest.AnnToken, "PUT", "data", "bad\xff", "x", 422, "is not a key"},
		{apitest.AnnToken, "PUT", "data", strings.Repeat("k", 1025), "x", 422, "is not a key"},
		{apitest.AnnToken, "PUT", "DATA", "a", "x", 422, "is not the name of a bucket"},
		{apitest.AnnToken, "DELETE", "data", "none", "", 404, "there is no object"},
		{apitest.AnnToken, "DELETE", "data", "a/b.csv", "", 204, ""},
		{apitest.AnnToken, "GET", "data", "a/b.csv", "", 404, "there is no object"},
	} {
		status, text := object(t, p, c.token, c.method, c.bucket, c.key, strings.NewReader(c.body))
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s/%.40q: %d %s, want %d with %q", c.method, c.bucket, c.key, status, text, c.status, c.want)
		}
	}
}

// TestObjectThatDoesNotComeWhole leaves what was there before.
func TestObjectThatDoesNotComeWhole(t *testing.T) {
	p := apitest.New(t, nil)
	object(t, p, apitest.AnnToken, "PUT", "data", "a", strings.NewReader("before"))
	broken := io.MultiReader(io.LimitReader(zeros{}, 1<<20), errReader{})
	object(t, p, apitest.AnnToken, "PUT", "data", "a", broken)
	if status, text := object(t, p, apitest.AnnToken, "GET", "data", "a", nil); status != 200 || text != "before" {
		t.Errorf("%d %.40q", status, text)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("the file is gone") }
