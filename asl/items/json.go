package items

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// JSON goes through the elements of an array or the members of an object, as
// they are read from r. pointer (RFC 6901) leads to it in the document; "" is
// the whole. source is told with each item.
func JSON(r io.Reader, pointer, source string) asl.MapItems {
	return &jsonItems{scan: scanner{r: bufio.NewReaderSize(r, 64<<10)}, pointer: pointer, source: source}
}

type jsonItems struct {
	scan    scanner
	pointer string
	source  string

	begun  bool
	object bool
	number int64
	err    error
}

func (j *jsonItems) Next() (asl.MapItem, error) {
	if j.err != nil {
		return asl.MapItem{}, j.err
	}
	item, err := j.next()
	if err != nil {
		j.err = j.explain(err)
		return asl.MapItem{}, j.err
	}
	item.Index, item.Source = j.number, j.source
	j.number++
	return item, nil
}

// explain tells what is wrong with the file, and where.
func (j *jsonItems) explain(err error) error {
	var known *asl.MapError
	switch {
	case err == io.EOF || errors.As(err, &known):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return failed("The file %s ends at byte %d, in the middle of its JSON.", j.source, j.scan.at)
	case errors.Is(err, errSyntax):
		return failed("The file %s is not valid JSON at byte %d.", j.source, j.scan.at)
	case errors.Is(err, errLong):
		return failed("The item %d of the file %s has more than %d bytes.", j.number, j.source, maxItem)
	}
	return failed("The file %s could not be read: %v", j.source, err)
}

func (j *jsonItems) next() (asl.MapItem, error) {
	if !j.begun {
		if err := j.begin(); err != nil {
			return asl.MapItem{}, err
		}
	}
	c, err := j.scan.token()
	if err != nil {
		return asl.MapItem{}, err
	}
	if c == j.end() {
		return asl.MapItem{}, io.EOF
	}
	if j.number > 0 {
		if c != ',' {
			return asl.MapItem{}, errSyntax
		}
	} else {
		j.scan.back()
	}
	var item asl.MapItem
	if j.object {
		key, err := j.scan.name()
		if err != nil {
			return asl.MapItem{}, err
		}
		item.Key = &key
	}
	text, err := j.scan.value(true)
	if err != nil {
		return asl.MapItem{}, err
	}
	item.Value, err = value.Parse(text)
	if err != nil {
		return asl.MapItem{}, failed("The item %d of the file %s is not valid JSON: %v", j.number, j.source, err)
	}
	return item, nil
}

func (j *jsonItems) end() byte {
	if j.object {
		return '}'
	}
	return ']'
}

// begin finds the array or object and enters it.
func (j *jsonItems) begin() error {
	j.begun = true
	if err := j.scan.mark(); err != nil {
		return err
	}
	for _, step := range steps(j.pointer) {
		if err := j.descend(step); err != nil {
			return err
		}
	}
	c, err := j.scan.token()
	if err != nil {
		return err
	}
	if c != '[' && c != '{' {
		return failed("The file %s must hold a JSON array or object%s.", j.source, j.where())
	}
	j.object = c == '{'
	return nil
}

func (j *jsonItems) where() string {
	if j.pointer == "" {
		return ""
	}
	return " at " + j.pointer
}

// steps takes a JSON Pointer apart.
func steps(pointer string) []string {
	if pointer == "" || pointer == "/" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts
}

// descend goes to a member or element of what comes next, over those before it.
func (j *jsonItems) descend(step string) error {
	missing := failed("There is nothing at %s in the file %s.", j.pointer, j.source)
	c, err := j.scan.token()
	if err != nil {
		return err
	}
	index, isIndex := strconv.Atoi(step)
	if c != '{' && (c != '[' || isIndex != nil) {
		return missing
	}
	end := byte('}')
	if c == '[' {
		end = ']'
	}
	for n := 0; ; n++ {
		next, err := j.scan.token()
		switch {
		case err != nil:
			return err
		case next == end:
			return missing
		case n == 0:
			j.scan.back()
		case next != ',':
			return errSyntax
		}
		found := n == index
		if c == '{' {
			name, err := j.scan.name()
			if err != nil {
				return err
			}
			found = name == step
		}
		if found {
			return nil
		}
		if _, err := j.scan.value(false); err != nil {
			return err
		}
	}
}
