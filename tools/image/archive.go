package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"time"
)

// contentLabel is the label that tells which content an image was made of.
const contentLabel = "iap.content"

// layout is part of the fingerprint: raise it when the form of the image changes.
const layout = "1"

// user is "nobody" on most systems; a scratch image has no /etc/passwd to name it.
const user = 65534

// fingerprint names the content of the image that pack makes of program.
func fingerprint(program []byte, arch string) string {
	h := sha256.New()
	h.Write([]byte(layout + " " + arch + "\n"))
	h.Write(program)
	return hex.EncodeToString(h.Sum(nil))
}

// pack makes a one-layer image archive in the form of `docker save`, which every
// Docker Engine loads without running a build. The same input gives the same
// bytes, so the same image ID.
func pack(name string, program []byte, arch string) ([]byte, error) {
	layer, err := archive([]entry{
		{name: "data/", mode: 0o755 | fs.ModeDir, owner: user},
		{name: "tmp/", mode: 0o777 | fs.ModeDir | fs.ModeSticky},
		{name: "app", mode: 0o755, body: program},
	})
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(imageConfig(layer, fingerprint(program, arch), arch))
	if err != nil {
		return nil, err
	}
	configName := digest(config) + ".json"
	manifest, err := json.Marshal([]map[string]any{{
		"Config": configName, "RepoTags": []string{name}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return nil, err
	}
	return archive([]entry{
		{name: "layer.tar", mode: 0o644, body: layer},
		{name: configName, mode: 0o644, body: config},
		{name: "manifest.json", mode: 0o644, body: manifest},
	})
}

// imageConfig is the image's configuration as the OCI image specification 1.1
// has it.
func imageConfig(layer []byte, content, arch string) map[string]any {
	return map[string]any{
		"created":      "1970-01-01T00:00:00Z",
		"architecture": arch,
		"os":           "linux",
		"config": map[string]any{
			"User":       "65534:65534",
			"Entrypoint": []string{"/app"},
			"WorkingDir": "/",
			"Labels":     map[string]string{contentLabel: content},
		},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
		"history": []map[string]any{{"created": "1970-01-01T00:00:00Z", "created_by": "tools/image"}},
	}
}

type entry struct {
	name  string
	mode  fs.FileMode
	owner int
	body  []byte
}

func archive(entries []entry) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{
			Name: e.name, Size: int64(len(e.body)), Mode: int64(e.mode.Perm()),
			Uid: e.owner, Gid: e.owner, Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0),
		}
		if e.mode.IsDir() {
			h.Typeflag = tar.TypeDir
		}
		if e.mode&fs.ModeSticky != 0 {
			h.Mode |= 0o1000
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
