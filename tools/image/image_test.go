package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// read returns the files of a tar archive by name, and their headers.
func read(t *testing.T, archive []byte) (map[string][]byte, map[string]*tar.Header) {
	t.Helper()
	files, headers := map[string][]byte{}, map[string]*tar.Header{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name], headers[h.Name] = body, h
	}
}

func TestPackIsALoadableImage(t *testing.T) {
	archive, err := pack("app:1", []byte("program"), "arm64")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := read(t, archive)
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	layer := files[manifest[0].Layers[0]]
	var config struct {
		Architecture string
		Config       struct {
			User   string
			Labels map[string]string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	if err := json.Unmarshal(files[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if got, want := config.RootFS.DiffIDs[0], "sha256:"+digest(layer); got != want {
		t.Errorf("diff ID %s, want the layer's digest %s", got, want)
	}
	if config.Architecture != "arm64" || config.Config.User != "65534:65534" || manifest[0].RepoTags[0] != "app:1" {
		t.Errorf("config %+v, manifest %+v", config, manifest)
	}
	content, headers := read(t, layer)
	if string(content["app"]) != "program" || headers["app"].Mode != 0o755 {
		t.Errorf("app is %q with mode %o", content["app"], headers["app"].Mode)
	}
	if h := headers["data/"]; h == nil || h.Uid != user || h.Typeflag != tar.TypeDir {
		t.Errorf("/data must be a folder of user %d: %+v", user, h)
	}
}

func TestFingerprintFollowsContentAndArchitecture(t *testing.T) {
	a := fingerprint([]byte("x"), "amd64")
	if a != fingerprint([]byte("x"), "amd64") {
		t.Error("the same program has two fingerprints")
	}
	if a == fingerprint([]byte("y"), "amd64") || a == fingerprint([]byte("x"), "arm64") {
		t.Error("different images share a fingerprint")
	}
}

// fake is an engine that has one image with the given label and fails loads with failure.
func fake(t *testing.T, label, failure string) *engine {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /images/app:1/json", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"Config": map[string]any{"Labels": map[string]string{contentLabel: label}}})
	})
	mux.HandleFunc("POST /images/load", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		json.NewEncoder(w).Encode(map[string]string{"stream": "Loading"})
		if failure != "" {
			json.NewEncoder(w).Encode(map[string]string{"error": failure})
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	e, err := dial("tcp://" + s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	e := fake(t, "abc", "")
	if got, err := e.label(t.Context(), "app:1", contentLabel); got != "abc" || err != nil {
		t.Errorf("label of an image that is there: %q, %v", got, err)
	}
	if got, err := e.label(t.Context(), "other:1", contentLabel); got != "" || err != nil {
		t.Errorf("label of an image that is not there: %q, %v", got, err)
	}
	if err := e.load(t.Context(), []byte("archive")); err != nil {
		t.Errorf("load: %v", err)
	}
	err := fake(t, "", "no space left on device").load(t.Context(), []byte("archive"))
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("an error in the stream after 200 is lost: %v", err)
	}
}

func TestDialRefusesOtherSchemes(t *testing.T) {
	if _, err := dial("ssh://host"); err == nil || !strings.Contains(err.Error(), "DOCKER_HOST") {
		t.Errorf("got %v, want an error that names DOCKER_HOST", err)
	}
}
