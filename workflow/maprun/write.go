package maprun

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/bucket"
)

// maxFile is where a file of results ends and the next begins, in bytes.
const maxFile = 512 << 20

// Results takes what became of the children of a map run, in the order of their
// numbers.
type Results interface {
	// Add takes the next result.
	Add(asl.MapResult) error
	// Finish gives the output of the state.
	Finish() (value.JSON, error)
	// Close gives up what is not finished; after Finish it does nothing.
	Close()
}

// NewResults begins the results of an order: those that become the state's
// output, or the files that ResultWriter wants. Their layout is that of AWS's
// page "ResultWriter (Map)": SUCCEEDED_n, FAILED_n and PENDING_n files and, last,
// a manifest.json that names them; writing the same results again replaces the
// files. Errors, here and of Results, are *asl.MapError.
func NewResults(ctx context.Context, o *asl.MapRunOrder, buckets bucket.Buckets, limits asl.Limits) (Results, error) {
	if o.Writes() {
		return newWriter(ctx, o, buckets)
	}
	return output{asl.NewMapOutput(o, limits)}, nil
}

type output struct{ *asl.MapOutput }

func (o output) Finish() (value.JSON, error) { return o.JSON(), nil }
func (o output) Close()                      {}

type writer struct {
	ctx     context.Context
	order   *asl.MapRunOrder
	buckets bucket.Buckets
	bucket  string
	folder  string // "PREFIX/ID", without the last "/"
	lines   bool
	files   map[string]*resultFile // that are being written
	counts  map[string]int         // of files begun
	written map[string]value.Array // as the manifest has them
	list    []value.JSON
}

// resultFile is one file of results.
type resultFile struct {
	bucket.Writer
	key  string
	size int64
}

func writerFailed(format string, args ...any) error {
	return &asl.MapError{Name: asl.ErrResultWriterFailed, Cause: fmt.Sprintf(format, args...)}
}

func newWriter(ctx context.Context, o *asl.MapRunOrder, buckets bucket.Buckets) (*writer, error) {
	r := o.Writer.Resource
	name := argument(o.Writer.Arguments, "Bucket")
	switch {
	case r.Service+":"+r.API != "s3:putObject":
		return nil, writerFailed("The ResultWriter's Resource must be arn:aws:states:::s3:putObject, not %s.", r.ARN)
	case buckets == nil:
		return nil, writerFailed("There are no buckets here to write results to.")
	case name == "":
		return nil, writerFailed("The ResultWriter must have a text for the argument Bucket.")
	}
	id := o.ARN[strings.LastIndexByte(o.ARN, ':')+1:]
	folder := strings.Trim(path.Join(argument(o.Writer.Arguments, "Prefix"), id), "/")
	if err := errors.Join(bucket.CheckBucket(name), bucket.CheckKey(folder)); err != nil {
		return nil, Fail(asl.ErrResultWriterFailed, err)
	}
	return &writer{ctx: ctx, order: o, buckets: buckets, bucket: name, folder: folder,
		lines: o.Writer.OutputType == asl.OutputJSONL, files: map[string]*resultFile{}, counts: map[string]int{},
		written: map[string]value.Array{"FAILED": {}, "PENDING": {}, "SUCCEEDED": {}}}, nil
}

// group is the file that a result goes to.
func group(s asl.Status) string {
	switch s {
	case asl.Succeeded:
		return "SUCCEEDED"
	case asl.NotStarted, asl.Running:
		return "PENDING"
	}
	return "FAILED"
}

// Add implements Results.
func (w *writer) Add(r asl.MapResult) error {
	if err := w.add(r); err != nil {
		return Fail(asl.ErrResultWriterFailed, err)
	}
	return nil
}

func (w *writer) add(r asl.MapResult) error {
	g := group(r.Status)
	w.list = r.Append(w.list[:0], w.order.Transformation())
	for _, j := range w.list {
		f, err := w.file(g)
		if err != nil {
			return err
		}
		if err := f.put(j, w.lines); err != nil {
			return err
		}
		if f.size > maxFile {
			if err := w.close(g); err != nil {
				return err
			}
		}
	}
	return nil
}

// file is the one that a group is being written to.
func (w *writer) file(g string) (*resultFile, error) {
	if f := w.files[g]; f != nil {
		return f, nil
	}
	ending := "json"
	if w.lines {
		ending = "jsonl"
	}
	key := fmt.Sprintf("%s/%s_%d.%s", w.folder, g, w.counts[g], ending)
	to, err := w.buckets.Create(w.ctx, w.bucket, key)
	if err != nil {
		return nil, err
	}
	w.counts[g]++
	w.files[g] = &resultFile{Writer: to, key: key}
	return w.files[g], nil
}

func (f *resultFile) put(j value.JSON, lines bool) error {
	before, after := ",", ""
	switch {
	case lines:
		before, after = "", "\n"
	case f.size == 0:
		before = "["
	}
	n, err := f.Write([]byte(before + j.String() + after))
	f.size += int64(n)
	return err
}

// close ends the file of a group.
func (w *writer) close(g string) error {
	f := w.files[g]
	if f == nil {
		return nil
	}
	if !w.lines {
		if _, err := f.Write([]byte("]")); err != nil {
			return err
		}
		f.size++
	}
	if err := f.Commit(); err != nil {
		return err
	}
	delete(w.files, g)
	w.written[g] = append(w.written[g], value.NewObject(
		value.Member{Key: "Key", Value: f.key}, value.Member{Key: "Size", Value: value.Int(f.size)}))
	return nil
}

// Finish implements Results.
func (w *writer) Finish() (value.JSON, error) {
	out, err := w.finish()
	if err != nil {
		return value.JSON{}, Fail(asl.ErrResultWriterFailed, err)
	}
	return out, nil
}

func (w *writer) finish() (value.JSON, error) {
	groups := []string{"FAILED", "PENDING", "SUCCEEDED"}
	files := &value.Object{}
	for _, g := range groups {
		if err := w.close(g); err != nil {
			return value.JSON{}, err
		}
		files.Set(g, w.written[g])
	}
	key := w.folder + "/manifest.json"
	f, err := w.buckets.Create(w.ctx, w.bucket, key)
	if err != nil {
		return value.JSON{}, err
	}
	_, err = f.Write([]byte(value.Text(value.NewObject(
		value.Member{Key: "DestinationBucket", Value: w.bucket},
		value.Member{Key: "MapRunArn", Value: w.order.ARN},
		value.Member{Key: "ResultFiles", Value: files}))))
	if err == nil {
		err = f.Commit()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return value.JSON{}, err
	}
	return value.Of(value.NewObject(
		value.Member{Key: "MapRunArn", Value: w.order.ARN},
		value.Member{Key: "ResultWriterDetails", Value: value.NewObject(
			value.Member{Key: "Bucket", Value: w.bucket},
			value.Member{Key: "Key", Value: key})})), nil
}

// Close implements Results.
func (w *writer) Close() {
	for _, f := range w.files {
		_ = f.Close() // its temporary file is all there is
	}
}
