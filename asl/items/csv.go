package items

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// delimiters are the characters of CSVDelimiter.
var delimiters = map[string]rune{"": ',', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "SPACE": ' ', "TAB": '\t'}

// CSV goes through rows (RFC 4180), each an object of texts by the names of the
// columns: those given, or those of the first row when there are none. A row
// that is too short has empty texts at its end; what a row has besides the
// columns is left out.
func CSV(r io.Reader, headers []string, delimiter, source string) asl.MapItems {
	in := &bounded{r: r, left: maxItem}
	b := bufio.NewReaderSize(in, 64<<10)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // they are in the buffer
	}
	c := csv.NewReader(b)
	c.Comma, c.FieldsPerRecord, c.ReuseRecord, c.LazyQuotes = delimiters[delimiter], -1, true, true
	if c.Comma == 0 {
		c.Comma = ','
	}
	return &rows{csv: c, in: in, headers: headers, source: source}
}

type rows struct {
	csv     *csv.Reader
	in      *bounded
	headers []string
	source  string
	number  int64
}

func (r *rows) Next() (asl.MapItem, error) {
	if r.headers == nil {
		first, err := r.row()
		if err != nil {
			return asl.MapItem{}, err
		}
		r.headers = []string{}
		for _, h := range first {
			r.headers = append(r.headers, strings.Clone(h))
		}
	}
	row, err := r.row()
	if err != nil {
		return asl.MapItem{}, err
	}
	o := &value.Object{}
	for i, h := range r.headers {
		field := ""
		if i < len(row) {
			field = strings.ToValidUTF8(row[i], "\ufffd")
		}
		o.Set(h, field)
	}
	r.number++
	return asl.MapItem{Index: r.number - 1, Source: r.source, Value: o}, nil
}

func (r *rows) row() ([]string, error) {
	r.in.left = maxItem
	row, err := r.csv.Read()
	if errors.Is(err, errLong) {
		return nil, failed("The row %d of the file %s has more than %d bytes.", r.number, r.source, maxItem)
	}
	if err != nil && err != io.EOF {
		return nil, failed("The file %s is not valid CSV: %v", r.source, err)
	}
	return row, err
}

// bounded ends the reading of a row that never ends, such as one with a quote
// that is not closed.
type bounded struct {
	r    io.Reader
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.r.Read(p)
	b.left -= n
	return n, err
}
