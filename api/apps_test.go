package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/client"
)

const manifest = "slug: demo\nname: Demo\nimage: demo:1\nport: 8080\n"

// part is one of a form's parts.
type part struct{ name, data string }

// upload sends parts as a form.
func upload(t *testing.T, p *apitest.Portal, token string, parts ...part) (*http.Response, string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, x := range parts {
		w, err := form.CreateFormFile(x.name, "file")
		if err == nil {
			_, err = io.WriteString(w, x.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return call(t, p, token, "POST", "/api/v1/apps", body.String(), "Content-Type", form.FormDataContentType())
}

func TestUpload(t *testing.T) {
	p := apitest.New(t, nil)
	resp, body := upload(t, p, apitest.PaulToken, part{"manifest", manifest})
	if resp.StatusCode != 201 || resp.Header.Get("Location") != "/api/v1/apps/demo" || !strings.Contains(body, `"number":1`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body = upload(t, p, apitest.PaulToken, part{"manifest", manifest}); resp.StatusCode != 200 || !strings.Contains(body, `"number":1`) {
		t.Errorf("again: %d %s", resp.StatusCode, body)
	}
	changed := strings.Replace(manifest, "Demo", "New", 1)
	if resp, body = upload(t, p, apitest.PaulToken, part{"manifest", changed}); resp.StatusCode != 201 || !strings.Contains(body, `"number":2`) {
		t.Errorf("changed: %d %s", resp.StatusCode, body)
	}
	_, body = call(t, p, apitest.JaneToken, "GET", "/api/v1/apps/demo/versions", "")
	var versions client.List[client.AppVersion]
	if err := json.Unmarshal([]byte(body), &versions); err != nil || len(versions.Items) != 2 || versions.Items[0].Number != 2 {
		t.Errorf("%v %s", err, body)
	}
}

func TestBadUpload(t *testing.T) {
	p := apitest.New(t, nil)
	for name, c := range map[string]struct {
		parts  []part
		status int
		want   string
	}{
		"nothing":         {nil, 422, "manifest"},
		"no manifest":     {[]part{{"bundle", "x"}}, 422, "manifest"},
		"unknown part":    {[]part{{"manifest", manifest}, {"evil", "x"}}, 422, "evil"},
		"unnamed part":    {[]part{{"", "x"}}, 422, "without a name"},
		"two manifests":   {[]part{{"manifest", manifest}, {"manifest", manifest}}, 422, "twice"},
		"large manifest":  {[]part{{"manifest", strings.Repeat("#", 1<<20+1)}}, 422, "larger than 1024 KiB"},
		"large icon":      {[]part{{"manifest", manifest}, {"icon", strings.Repeat("x", 1<<20+1)}}, 422, "icon"},
		"more than 25 MB": {[]part{{"manifest", manifest}, {"bundle", strings.Repeat("x", 25<<20)}}, 413, "25 MiB"},
		"bad manifest":    {[]part{{"manifest", "name: x"}}, 422, "slug"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := upload(t, p, apitest.PaulToken, c.parts...)
			if got := wantProblem(t, resp, body, c.status); !strings.Contains(fmt.Sprint(got), c.want) {
				t.Errorf("%q is not in %+v", c.want, got)
			}
		})
	}
	for name, contentType := range map[string]string{"JSON": "application/json", "no boundary": "multipart/form-data", "none": "x"} {
		resp, body := call(t, p, apitest.PaulToken, "POST", "/api/v1/apps", "{}", "Content-Type", contentType)
		status := http.StatusUnsupportedMediaType
		if name == "no boundary" {
			status = http.StatusBadRequest
		}
		wantProblem(t, resp, body, status)
	}
	resp, body := upload(t, p, apitest.JaneToken, part{"manifest", manifest})
	wantProblem(t, resp, body, 403)
	if _, body := call(t, p, apitest.AnnToken, "GET", "/api/v1/apps", ""); strings.Contains(body, "demo") {
		t.Errorf("something was stored: %s", body)
	}
}

func TestRetire(t *testing.T) {
	p := apitest.New(t, nil)
	resp, body := call(t, p, apitest.JaneToken, "POST", "/api/v1/apps/todo/retire", "")
	wantProblem(t, resp, body, 403)
	if resp, body := call(t, p, apitest.PaulToken, "POST", "/api/v1/apps/todo/retire", ""); resp.StatusCode != 200 || !strings.Contains(body, `"retired":true`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, body = call(t, p, apitest.JaneToken, "GET", "/api/v1/apps/todo", "")
	wantProblem(t, resp, body, 404)
	if _, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/apps", ""); strings.Contains(body, "todo") {
		t.Errorf("a member sees it: %s", body)
	}
	if resp, body := call(t, p, apitest.PaulToken, "POST", "/api/v1/apps/todo/unretire", ""); resp.StatusCode != 200 || !strings.Contains(body, `"retired":false`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// TestSpec checks the parts of OpenAPI 3.1 that clients are generated from.
func TestSpec(t *testing.T) {
	p := apitest.New(t, nil)
	resp, body := call(t, p, "", "GET", "/api/openapi.json", "")
	var spec struct {
		OpenAPI    string `json:"openapi"`
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal([]byte(body), &spec); err != nil || spec.OpenAPI != "3.1.0" || resp.Header.Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("%v %s %s", err, spec.OpenAPI, resp.Header.Get("Content-Type"))
	}
	if len(spec.Paths) < 15 || spec.Paths["/api/v1/apps"]["post"] == nil {
		t.Errorf("paths: %d", len(spec.Paths))
	}
	for rest := body; ; {
		_, after, found := strings.Cut(rest, `"#/components/schemas/`)
		if !found {
			break
		}
		name, _, _ := strings.Cut(after, `"`)
		if spec.Components.Schemas[name] == nil {
			t.Errorf("the schema %q is not there", name)
		}
		rest = after
	}
	_, page := call(t, p, "", "GET", "/api/docs", "")
	for _, want := range []string{"/api/v1/instances/{ref}", "#type-Problem", "Deploy an app"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// The one script keeps the colours that were chosen on the portal's pages.
	if others := strings.Replace(page, `<script src="/static/theme.js">`, "", 1); strings.Contains(others, "<script") || strings.Contains(page, "https://") {
		t.Error("the page needs something from elsewhere")
	}
}
