package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/client"
)

type bucketCmd struct {
	Ls  bucketLsCmd  `cmd:"" help:"List the buckets, or the objects of one." aliases:"list"`
	Put bucketPutCmd `cmd:"" help:"Write a file to a bucket."`
	Get bucketGetCmd `cmd:"" help:"Read an object."`
	Rm  bucketRmCmd  `cmd:"" help:"Remove objects." aliases:"delete"`
}

// objectPlace takes BUCKET/KEY apart and checks both.
func objectPlace(s string) (name, key string, err error) {
	name, key, _ = strings.Cut(s, "/")
	if err := errors.Join(bucket.CheckBucket(name), bucket.CheckKey(key)); err != nil {
		return "", "", exitf(codeUsage, "%q is not BUCKET/KEY: %w", printable(s), err)
	}
	return name, key, nil
}

type bucketLsCmd struct {
	Bucket string `arg:"" optional:"" name:"bucket[/prefix]" help:"A bucket, and what the keys begin with."`
	Limit  int    `short:"n" help:"How many at most." default:"1000"`
}

func (c *bucketLsCmd) Run(r *run) error {
	if c.Limit < 1 || c.Limit > 1_000_000 {
		return exitf(codeUsage, "--limit %d is not between 1 and 1000000", c.Limit)
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	if c.Bucket == "" {
		return c.buckets(r, cl)
	}
	name, prefix, _ := strings.Cut(c.Bucket, "/")
	if err := bucket.CheckBucket(name); err != nil {
		return exitf(codeUsage, "%w", err)
	}
	all, err := pages(c.Limit, func(after string, limit int) (client.List[client.Object], error) {
		return cl.Objects(r.ctx, name, prefix, after, limit)
	})
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(all)
	}
	t := &table{head: []string{"KEY", "SIZE", "CHANGED"}}
	for _, o := range all {
		t.add(o.Key, sizeText(o.Size), clock(o.ModifiedAt, r.now()))
	}
	t.write(r.out, r.width, nil)
	return nil
}

func (c *bucketLsCmd) buckets(r *run, cl *client.Client) error {
	all, err := cl.Buckets(r.ctx)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(all)
	}
	for _, b := range all {
		r.print("%s", printable(b.Name))
	}
	if len(all) == 0 {
		r.hint("there is no bucket; make one with: iap bucket put FILE BUCKET/KEY")
	}
	return nil
}

type bucketPutCmd struct {
	File string `arg:"" help:"The file; - for stdin." complete:"file"`
	To   string `arg:"" name:"bucket/key" help:"Where to write it; with a / at the end under the file's own name."`
}

func (c *bucketPutCmd) Run(r *run) error {
	to := c.To
	if strings.HasSuffix(to, "/") && c.File != "-" {
		to += filepath.Base(c.File)
	}
	name, key, err := objectPlace(to)
	if err != nil {
		return err
	}
	in := r.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return fileError(c.File, err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.IsDir() {
			return exitf(codeUsage, "%s is a folder; give a file", c.File)
		}
		in = f
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	o, err := cl.PutObject(r.ctx, name, key, in)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(o)
	}
	r.print("%s%s%s", printable(name+"/"+o.Key), gap, sizeText(o.Size))
	return nil
}

type bucketGetCmd struct {
	From string `arg:"" name:"bucket/key" help:"The object."`
	File string `arg:"" optional:"" help:"Where to write it: a file or a folder; absent: stdout." complete:"file"`
}

func (c *bucketGetCmd) Run(r *run) error {
	name, key, err := objectPlace(c.From)
	if err != nil {
		return err
	}
	if r.json() && c.File == "" {
		return exitf(codeUsage, "with -o json say to which file the object is to be written")
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	body, size, err := cl.GetObject(r.ctx, name, key)
	if err != nil {
		return err
	}
	defer body.Close()
	if c.File == "" || c.File == "-" {
		n, err := io.Copy(r.out, body)
		return whole(n, size, err)
	}
	return c.toFile(r, body, client.Object{Bucket: name, Key: key, Size: size})
}

// whole tells whether an object came to its end.
func whole(n, size int64, err error) error {
	if err != nil || size >= 0 && n != size {
		return exitf(codeFailed, "the object did not come whole: %d of %d bytes", n, size)
	}
	return nil
}

// toFile writes beside the file and gives it its name at the end, so that half
// an object never has it.
func (c *bucketGetCmd) toFile(r *run, body io.Reader, o client.Object) error {
	file := c.File
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, path.Base(o.Key))
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".iap-*")
	if err != nil {
		return writeError(file, err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // after the rename it is not there
	n, err := io.Copy(f, body)
	if closed := f.Close(); err == nil && closed != nil {
		return writeError(file, closed)
	}
	if err := whole(n, o.Size, err); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(f.Name(), 0o644), os.Rename(f.Name(), file)); err != nil {
		return writeError(file, err)
	}
	if r.json() {
		return r.writeJSON(o)
	}
	r.print("%s%s%s", printable(file), gap, sizeText(n))
	return nil
}

func writeError(file string, err error) error {
	var broken *fs.PathError
	if errors.As(err, &broken) {
		err = broken.Err
	}
	return exitf(codeUsage, "%s cannot be written: %w", file, err)
}

type bucketRmCmd struct {
	Objects []string `arg:"" name:"bucket/key" help:"The objects."`
}

func (c *bucketRmCmd) Run(r *run) error {
	type removed struct {
		Bucket string `json:"bucket"`
		Key    string `json:"key"`
	}
	var all []removed
	for _, s := range c.Objects { // so that a wrong one is told before any is removed
		name, key, err := objectPlace(s)
		if err != nil {
			return err
		}
		all = append(all, removed{name, key})
	}
	cl, err := r.client()
	if err != nil {
		return err
	}
	for _, o := range all {
		if err := cl.DeleteObject(r.ctx, o.Bucket, o.Key); err != nil {
			return err
		}
		if !r.json() {
			r.print("%s%sremoved", printable(o.Bucket+"/"+o.Key), gap)
		}
	}
	if r.json() {
		return r.writeJSON(all)
	}
	return nil
}

// sizeText writes a number of bytes as people read it.
func sizeText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB"} {
		if f /= 1024; f < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, unit)
}
