package catalog_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

const goodTF = `output "upstream" { value = "http://127.0.0.1:80" }`

// entry is a file of a zip that a test makes.
type entry struct {
	name string
	data string
	mode fs.FileMode
}

// zipped makes a zip of a bundle that would be right without the entries.
func zipped(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range append([]entry{{name: "main.tf", data: goodTF}}, entries...) {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGoodZip(t *testing.T) {
	data := zipped(t, entry{name: "modules/"}, entry{name: "modules/net/main.tf", data: "# empty"}, entry{name: ".terraform.lock.hcl"},
		entry{name: "run.sh", data: "#!/bin/sh", mode: 0o755}, entry{name: "größe.txt", data: "x"})
	if err := catalog.CheckBundle(data, catalog.Manifest{}, nil); err != nil {
		t.Error(err)
	}
}

func TestHostileNames(t *testing.T) {
	for _, c := range []struct {
		name, words string
	}{
		{"../x", "without . and .."}, {"a/../../x", "without . and .."}, {"./x", "without . and .."}, {"a//x", "without . and .."},
		{"/etc/passwd", "absolute"}, {`a\b`, "backslash"}, {`..\x`, "backslash"}, {"C:x", "colon"}, {"a\x00b", "cannot be shown"},
		{"a\nb", "cannot be shown"}, {"a\u202eb", "cannot be shown"}, {"\xff", "cannot be shown"}, {strings.Repeat("x", 300), "too long"},
		{strings.Repeat("d/", 30) + "x", "too deep"}, {".terraform/providers/x", ".terraform"}, {"a/.Terraform/x", ".terraform"},
		{"terraform.tfstate", "state file"}, {"a/errored.tfstate", "state file"}, {"terraform.tfstate.backup", "state file"},
		{".terraform.tfstate.lock.info", "state file"}, {"TERRAFORM.TFSTATE", "state file"}, {".git/config", ".git"}, {"a/.git", ".git"},
		{"x.auto.tfvars", "sets variables"}, {"terraform.tfvars.json", "sets variables"}, {"terraform.d/plugins/x", "programs"},
		{"iap_backend.tf.json", "belong to the portal"}, {".terraformrc", "configures"},
	} {
		err := catalog.CheckBundle(zipped(t, entry{name: c.name, data: "x"}), catalog.Manifest{}, nil)
		refused(t, c.name, err, "bundle/", c.words)
	}
}

// refused checks that an error is Invalid and names a field and words.
func refused(t *testing.T, what string, err error, field, words string) {
	t.Helper()
	f := iap.Fields(err)
	if len(f) == 0 || !iap.IsKind(err, iap.Invalid) || !strings.HasPrefix(f[0].Field, field) || !strings.Contains(err.Error(), words) {
		t.Errorf("%.80q: got %v, want %s: …%s…", what, err, field, words)
	}
}

func TestHostileKinds(t *testing.T) {
	for name, mode := range map[string]fs.FileMode{
		"symbolic link": fs.ModeSymlink | 0o777, "device": fs.ModeDevice | 0o666, "device, pipe": fs.ModeNamedPipe | 0o666,
		"pipe or socket": fs.ModeSocket | 0o666, "set-user": fs.ModeSetuid | 0o755, "set-group": fs.ModeSetgid | 0o755,
		"plain files": fs.ModeDevice | fs.ModeCharDevice | 0o666,
	} {
		err := catalog.CheckBundle(zipped(t, entry{name: "x", data: "/etc/passwd", mode: mode}), catalog.Manifest{}, nil)
		refused(t, name, err, "bundle/x", name)
	}
	folder := zipped(t, entry{name: "x", data: "x", mode: fs.ModeDir | 0o755})
	refused(t, "folder with content", catalog.CheckBundle(folder, catalog.Manifest{}, nil), "bundle", "")
}

func TestClashingNames(t *testing.T) {
	for _, c := range [][3]string{
		{"a.txt", "a.txt", "twice"}, {"a.txt", "A.TXT", "capital letters"}, {"x\u0301.txt", "\u1e8b\u0301.txt", ""},
		{"\u00e9.txt", "e\u0301.txt", "accents"}, {"a", "a/b", "also a file"}, {"a/b", "a", "also a folder"}, {"A/b", "a/B", "capital"},
		{"main.TF", "other", "capital"},
	} {
		err := catalog.CheckBundle(zipped(t, entry{name: c[0], data: "1"}, entry{name: c[1], data: "2"}), catalog.Manifest{}, nil)
		if c[2] != "" {
			refused(t, c[0]+" "+c[1], err, "bundle/", c[2])
		}
	}
}

func TestBombs(t *testing.T) {
	many := make([]entry, 2001)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	false101 := zipped(t, entry{name: "x", data: "x"})
	binary.LittleEndian.PutUint32(false101[bytes.LastIndex(false101, []byte("PK\x01\x02"))+24:], 101<<20)
	for name, c := range map[string]struct {
		data  []byte
		words string
	}{
		"ratio":     {zipped(t, entry{name: "x", data: strings.Repeat("0", 3<<20)}), "200 times"},
		"size":      {false101, "at most 104857600"},
		"count":     {zipped(t, many...), "at most 2000"},
		"large":     {make([]byte, 21<<20), "at most 20971520"},
		"truncated": {zipped(t)[:100], "no zip file"},
		"empty":     {nil, "no zip file"},
		"no zip":    {[]byte("hello"), "no zip file"},
	} {
		start := time.Now()
		refused(t, name, catalog.CheckBundle(c.data, catalog.Manifest{}, nil), "bundle", c.words)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: took %s", name, d)
		}
	}
}

// TestFalseSizes changes what a zip says of a file in its directory.
func TestFalseSizes(t *testing.T) {
	good := zipped(t, entry{name: "big", data: strings.Repeat("0123456789", 1000)})
	directory := bytes.LastIndex(good, []byte("PK\x01\x02"))
	for name, size := range map[string]uint32{"smaller": 10, "larger": 20000, "huge": 99 << 20} {
		bad := bytes.Clone(good)
		binary.LittleEndian.PutUint32(bad[directory+24:], size)
		refused(t, name, catalog.CheckBundle(bad, catalog.Manifest{}, nil), "bundle/big", "")
	}
	damaged := bytes.Clone(good)
	binary.LittleEndian.PutUint32(damaged[directory+16:], 1)
	refused(t, "checksum", catalog.CheckBundle(damaged, catalog.Manifest{}, nil), "bundle/big", "damaged")
	encrypted := bytes.Clone(good)
	encrypted[directory+8] |= 1
	refused(t, "encrypted", catalog.CheckBundle(encrypted, catalog.Manifest{}, nil), "bundle/big", "encrypted")
	method := bytes.Clone(good)
	method[directory+10] = 12
	refused(t, "method", catalog.CheckBundle(method, catalog.Manifest{}, nil), "bundle/big", "method 12")
}

func TestPackIsDeterministic(t *testing.T) {
	a := fstest.MapFS{"main.tf": {Data: []byte(goodTF), ModTime: time.Now()}, "b/c.sh": {Data: []byte("x"), Mode: 0o755}}
	b := fstest.MapFS{"b/c.sh": {Data: []byte("x"), Mode: 0o700}, "main.tf": {Data: []byte(goodTF), Mode: 0o600}}
	one, errOne := catalog.Pack(a)
	two, errTwo := catalog.Pack(b)
	if errOne != nil || errTwo != nil || !bytes.Equal(one, two) {
		t.Errorf("%v, %v, %d and %d bytes", errOne, errTwo, len(one), len(two))
	}
	if err := catalog.CheckBundle(one, catalog.Manifest{}, nil); err != nil {
		t.Error(err)
	}
}

func TestPackRefusesWhatDoesNotBelong(t *testing.T) {
	for _, name := range []string{".terraform/x", "terraform.tfstate", ".git/HEAD"} {
		_, err := catalog.Pack(fstest.MapFS{"main.tf": {Data: []byte(goodTF)}, name: {Data: []byte("x")}})
		refused(t, name, err, "bundle/", "")
	}
	_, err := catalog.Pack(fstest.MapFS{"link": {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink}})
	refused(t, "link", err, "bundle/link", "plain file")
}

func FuzzCheckBundle(f *testing.F) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e, err := w.Create("main.tf")
	if err != nil {
		f.Fatal(err)
	}
	_, _ = e.Write([]byte(goodTF))
	_ = w.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = catalog.CheckBundle(data, catalog.Manifest{}, nil) // must not panic
	})
}
