package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed static/css static/js static/icon.svg static/fonts/*.woff2 static/vendor/*.js
var staticFiles embed.FS

// asset is one file that pages name by an address with the hash of its
// content, so that browsers may keep it for ever.
type asset struct {
	name, address, mediaType string
	data                     []byte
	packed                   func() []byte // gzip; nil where it does not help
}

// assets holds the files by name and by address.
type assets struct{ byName, byAddress map[string]*asset }

// stylesheets are served as one file, the tokens first.
var stylesheets = []string{"tokens.css", "base.css", "parts.css", "pages.css"}

// loadAssets reads the embedded files. Fonts come first, because the style
// sheet names them by their addresses.
func loadAssets() (*assets, error) {
	a := &assets{byName: map[string]*asset{}, byAddress: map[string]*asset{}}
	for _, dir := range []string{"static/fonts", "static/vendor", "static/js", "static"} {
		names, err := fs.Glob(staticFiles, dir+"/*.*")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			data, err := staticFiles.ReadFile(name)
			if err != nil {
				return nil, err
			}
			a.add(path.Base(name), data)
		}
	}
	for name, sheets := range map[string][]string{"app.css": stylesheets, "page.css": {"tokens.css", "base.css", "host.css"}} {
		var all bytes.Buffer
		for _, sheet := range sheets {
			data, err := staticFiles.ReadFile("static/css/" + sheet)
			if err != nil {
				return nil, err
			}
			all.Write(data)
		}
		css := all.String()
		for _, font := range []string{"inter.woff2", "jetbrains-mono.woff2"} {
			to := a.byName[font].address
			if name == "page.css" { // on an app's host the proxy serves them beside it
				to = font
			}
			css = strings.ReplaceAll(css, `url("`+font+`")`, `url("`+to+`")`)
		}
		a.add(name, []byte(css))
	}
	css, err := staticFiles.ReadFile("static/css/workflow.css") // alone: few pages need it
	if err != nil {
		return nil, err
	}
	a.add("workflow.css", css)
	return a, nil
}

func (a *assets) add(name string, data []byte) {
	sum := sha256.Sum256(data)
	ext := path.Ext(name)
	f := &asset{name: name, data: data, mediaType: mime.TypeByExtension(ext)}
	f.address = "/static/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	if ext == ".woff2" {
		f.mediaType = "font/woff2"
	} else {
		f.packed = sync.OnceValue(func() []byte { return pack(data) })
	}
	a.byName[name], a.byAddress[f.address] = f, f
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a right one
	z.Write(data)                                         // a Buffer does not fail
	z.Close()
	return b.Bytes()
}

// address returns where pages find a file.
func (a *assets) address(name string) (string, error) {
	f, ok := a.byName[name]
	if !ok {
		return "", fmt.Errorf("no file %q", name)
	}
	return f.address, nil
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	f, ok := a.byAddress[r.URL.Path]
	if !ok {
		a.serveShared(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if f.name == "layout.js" { // a worker, whose own policy holds for it: Graphviz is WebAssembly
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'")
	}
	f.write(w, r)
}

// serveShared serves what pages that are not of this package, such as the
// API's, look the same by; they know no hashes.
func (a *assets) serveShared(w http.ResponseWriter, r *http.Request) {
	switch name := strings.TrimPrefix(r.URL.Path, "/static/"); name {
	case "inter.woff2", "jetbrains-mono.woff2", "theme.js":
		w.Header().Set("Cache-Control", "public, max-age=3600")
		a.byName[name].write(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (f *asset) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	data := f.data
	if f.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			data = f.packed()
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(data)))
	if r.Method != http.MethodHead {
		w.Write(data)
	}
}

// acceptsGzip reads Accept-Encoding as far as is needed: gzip is named and not
// refused.
func acceptsGzip(r *http.Request) bool {
	codings := strings.Split(r.Header.Get("Accept-Encoding"), ",")
	return slices.ContainsFunc(codings, func(c string) bool {
		name, q, _ := strings.Cut(strings.TrimSpace(c), ";")
		q = strings.ReplaceAll(q, " ", "")
		return strings.EqualFold(strings.TrimSpace(name), "gzip") && q != "q=0" && q != "q=0.0"
	})
}

func (s *Server) favicon(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	s.assets.byName["icon.svg"].write(w, r)
}
