package proxy

import (
	"bytes"
	"compress/gzip"
	"io"

	"github.com/andybalholm/brotli"
)

// withTag returns a body with a tag after its last byte, in the same encoding.
// What comes is passed on as it comes. Text that is no whole document stays as it
// is, and a body that breaks off gets no tag.
func withTag(body io.ReadCloser, encoding, tag string) io.ReadCloser {
	out := &tagged{Closer: body, src: body, tag: []byte(tag)}
	switch encoding {
	case "gzip":
		out.src = &lazyGzip{src: body}
		e := &encoded{Closer: body, src: out}
		e.enc, _ = gzip.NewWriterLevel(&e.out, gzip.BestSpeed)
		return e
	case "br":
		out.src = brotli.NewReader(body)
		e := &encoded{Closer: body, src: out}
		e.enc = brotli.NewWriterLevel(&e.out, 3)
		return e
	}
	return out
}

// beginSize is how much of a text is looked at to see that it is a document.
const beginSize = 1024

// tagged is a text with a tag after its end.
type tagged struct {
	io.Closer
	src   io.Reader
	tag   []byte
	begin []byte // of the text
	last  byte   // that is no space
	over  bool
}

func (t *tagged) Read(p []byte) (int, error) {
	if t.over {
		n := copy(p, t.tag)
		if t.tag = t.tag[n:]; len(t.tag) == 0 {
			return n, io.EOF
		}
		return n, nil
	}
	n, err := t.src.Read(p)
	t.note(p[:n])
	if err != io.EOF {
		return n, err
	}
	if !isDocument(t.begin) || t.last != '>' {
		return n, io.EOF
	}
	t.over = true
	return n, nil
}

func (t *tagged) note(p []byte) {
	t.begin = append(t.begin, p[:min(len(p), beginSize-len(t.begin))]...)
	if rest := bytes.TrimRight(p, " \t\r\n\f"); len(rest) > 0 {
		t.last = rest[len(rest)-1]
	}
}

// isDocument reports whether a text begins as a whole HTML document does, not as
// a part of one or as anything else.
func isDocument(begin []byte) bool {
	begin = bytes.TrimPrefix(begin, []byte("\ufeff"))
	for {
		begin = bytes.TrimLeft(begin, " \t\r\n\f")
		if !bytes.HasPrefix(begin, []byte("<!--")) {
			break
		}
		_, after, closed := bytes.Cut(begin, []byte("-->"))
		if !closed {
			return false
		}
		begin = after
	}
	for _, tag := range []string{"<!doctype html", "<html"} {
		if len(begin) >= len(tag) && bytes.EqualFold(begin[:len(tag)], []byte(tag)) {
			return true
		}
	}
	return false
}

// lazyGzip reads the header of a gzip stream when it is asked for the first byte:
// the head of the answer must not wait for the body.
type lazyGzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (l *lazyGzip) Read(p []byte) (n int, err error) {
	if l.z == nil {
		if l.z, err = gzip.NewReader(l.src); err != nil {
			return 0, err
		}
	}
	return l.z.Read(p)
}

// encoder is a writer that compresses.
type encoder interface {
	io.WriteCloser
	Flush() error
}

// encoded compresses what it reads, and holds nothing of it back.
type encoded struct {
	io.Closer
	src io.Reader
	enc encoder
	out bytes.Buffer
	buf [8 << 10]byte
	err error
}

func (e *encoded) Read(p []byte) (int, error) {
	for e.out.Len() == 0 {
		if e.err != nil {
			return 0, e.err
		}
		n, err := e.src.Read(e.buf[:])
		if n > 0 {
			_, _ = e.enc.Write(e.buf[:n]) // into memory: it cannot fail
			_ = e.enc.Flush()
		}
		if err == io.EOF {
			_ = e.enc.Close()
		}
		e.err = err
	}
	return e.out.Read(p)
}
