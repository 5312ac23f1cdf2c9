package catalog

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The limits of a bundle.
const (
	MaxBundle       = 20 << 20  // bytes of the zip
	MaxUnpacked     = 100 << 20 // bytes of all files
	MaxFiles        = 2000
	maxRatio        = 200     // unpacked to packed bytes of a file
	ratioFrom       = 1 << 20 // smaller files may be as regular as they like
	maxName         = 255
	maxPathSegments = 20
)

// files are the files of a bundle by their names.
type files map[string]file

type file struct {
	data       []byte
	executable bool
}

// readZip unpacks a zip whose every part is checked before it is believed.
func readZip(p *problems, data []byte) files {
	if len(data) > MaxBundle {
		p.add("bundle", "the zip has %d bytes; want at most %d", len(data), MaxBundle)
		return nil
	}
	// The reader keeps every entry of the directory, whatever its count says; a
	// zip within the zip adds some that are not its own.
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > 10*MaxFiles {
		p.add("bundle", "holds %d files; want at most %d", n, MaxFiles)
		return nil
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		p.add("bundle", "is no zip file, or a part of it is missing: %v", err)
		return nil
	}
	if len(r.File) > MaxFiles {
		p.add("bundle", "holds %d files; want at most %d", len(r.File), MaxFiles)
		return nil
	}
	before := len(p.errs)
	checkNames(p, r.File)
	checkSizes(p, r.File)
	if len(p.errs) > before {
		return nil
	}
	return unpack(p, r.File)
}

// checkNames judges names and kinds of all entries.
func checkNames(p *problems, entries []*zip.File) {
	const enough = 20 // errors; a zip with more is hopeless
	seen := map[string]string{}
	folders := map[string]string{}
	for _, e := range entries {
		if len(p.errs) >= enough {
			return
		}
		name := strings.TrimSuffix(e.Name, "/")
		at := "bundle/" + shorten(name)
		if reason := nameReason(name); reason != "" {
			p.add(at, "%s", reason)
			continue
		}
		if reason := kindReason(e); reason != "" {
			p.add(at, "%s", reason)
			continue
		}
		folded := fold(name)
		if first, twice := seen[folded]; twice {
			p.add(at, "%s", clash(first, name))
			continue
		}
		seen[folded] = name
		if e.Mode().IsDir() {
			continue
		}
		if first, used := folders[folded]; used {
			p.add(at, "is a file, and also a folder of %q", first)
		}
		for dir := path.Dir(folded); dir != "."; dir = path.Dir(dir) {
			folders[dir] = name
			if f, used := seen[dir]; used && !isFolder(entries, f) {
				p.add(at, "lies in %q, which is also a file", f)
				break
			}
		}
	}
}

func isFolder(entries []*zip.File, name string) bool {
	return slices.ContainsFunc(entries, func(e *zip.File) bool { return e.Name == name+"/" })
}

// fold is a name as a file system without letter case sees it.
func fold(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

func clash(first, second string) string {
	if first == second {
		return "is there twice"
	}
	return fmt.Sprintf("and %q differ only in capital letters or the form of accents", shorten(first))
}

// nameReason says why a file of a bundle cannot have a name.
func nameReason(name string) string {
	switch {
	case name == "":
		return "a file has no name"
	case len(name) > maxName || strings.Count(name, "/") >= maxPathSegments:
		return "the name is too long or too deep"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "the name has characters that cannot be shown"
	case strings.HasPrefix(name, "/"):
		return "is an absolute path; want a path within the bundle"
	case strings.Contains(name, `\`):
		return "has a backslash; want / between folders"
	case strings.Contains(name, ":"):
		return "has a colon, which some systems take for a drive"
	case !fs.ValidPath(name) || name == ".":
		return "leaves the bundle or is not plain; want a path without . and .."
	}
	return contentReason(name)
}

// contentReason names the files that have no place in a bundle.
func contentReason(name string) string {
	parts := strings.Split(fold(name), "/")
	base := parts[len(parts)-1]
	switch {
	case slices.Contains(parts, ".terraform"):
		return "the folder .terraform is Terraform's own work; leave it out"
	case slices.Contains(parts, ".git"):
		return "the folder .git is history and may hold secrets; leave it out"
	case slices.Contains(parts, "terraform.d"):
		return "the folder terraform.d could bring programs; leave it out"
	case strings.Contains(base, ".tfstate"):
		return "is a state file and may hold secrets; the portal keeps the state"
	case strings.HasSuffix(base, ".tfvars") || strings.HasSuffix(base, ".tfvars.json"):
		return "sets variables, which the portal does; use defaults in variable blocks"
	case strings.HasPrefix(base, "iap_") && isTerraform(base):
		return "names that begin with iap_ belong to the portal; call it something else"
	case base == ".terraformrc" || base == "terraform.rc" || base == ".tofurc" || base == "tofu.rc":
		return "configures the program itself; leave it out"
	}
	return ""
}

// kindReason says why an entry is of no kind that a bundle may hold.
func kindReason(e *zip.File) string {
	mode := e.Mode()
	switch {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link; want plain files"
	case mode&(fs.ModeDevice|fs.ModeCharDevice|fs.ModeNamedPipe|fs.ModeSocket|fs.ModeIrregular) != 0:
		return "is a device, pipe or socket; want plain files"
	case mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0:
		return "has a set-user, set-group or sticky bit; want plain files"
	case e.Flags&0x1 != 0:
		return "is encrypted; want plain files"
	case e.Method != zip.Store && e.Method != zip.Deflate:
		return fmt.Sprintf("is packed by method %d; want deflate", e.Method)
	case mode.IsDir() != strings.HasSuffix(e.Name, "/"):
		return "says both that it is a folder and that it is a file"
	}
	return ""
}

// checkSizes judges what the zip says of its sizes.
func checkSizes(p *problems, entries []*zip.File) {
	total := uint64(0)
	for _, e := range entries {
		if e.UncompressedSize64 > MaxUnpacked {
			p.add("bundle/"+shorten(e.Name), "has %d bytes unpacked; want at most %d in all", e.UncompressedSize64, MaxUnpacked)
			return
		}
		if e.UncompressedSize64 > ratioFrom && e.UncompressedSize64 > maxRatio*e.CompressedSize64 {
			p.add("bundle/"+shorten(e.Name), "grows to more than %d times its size; want plain files", maxRatio)
			return
		}
		total += e.UncompressedSize64
	}
	if total > MaxUnpacked {
		p.add("bundle", "has %d bytes unpacked; want at most %d", total, MaxUnpacked)
	}
}

// unpack reads the files and refuses those that are not as the zip said.
func unpack(p *problems, entries []*zip.File) files {
	out := files{}
	for _, e := range entries {
		if e.Mode().IsDir() {
			continue
		}
		data, err := readEntry(e)
		if err != nil {
			p.add("bundle/"+shorten(e.Name), "%v", err)
			return nil
		}
		out[e.Name] = file{data: data, executable: e.Mode()&0o111 != 0}
	}
	return out
}

func readEntry(e *zip.File) ([]byte, error) {
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, int64(e.UncompressedSize64)+1))
	switch {
	case uint64(len(data)) != e.UncompressedSize64:
		return nil, errors.New("does not have the size that the zip says")
	case err != nil:
		return nil, fmt.Errorf("is damaged: %w", err)
	}
	return data, nil
}

// pack writes the files as a zip that depends on nothing but them.
func (f files) pack() ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
		h.SetMode(0o644)
		if f[name].executable {
			h.SetMode(0o755)
		}
		entry, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f[name].data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
