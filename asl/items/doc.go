// Package items reads the items of distributed Map states as a stream: a file
// of a million items costs no more memory than one with ten.
//
// The formats are those of AWS's ItemReader: JSON (an array or an object, or one
// of these somewhere in a document), JSON Lines and CSV.
package items

import (
	"fmt"
	"io"

	"github.com/internal-app-portal/iap/asl"
)

// maxItem bounds one item in bytes, and so the memory that a reader needs.
const maxItem = 8 << 20

// failed is the error of items that cannot be read.
func failed(format string, args ...any) error {
	return &asl.MapError{Name: asl.ErrItemReaderFailed, Cause: fmt.Sprintf(format, args...)}
}

// Limit ends items after max of them; 0 is no limit.
func Limit(items asl.MapItems, max int64) asl.MapItems {
	if max == 0 {
		return items
	}
	return &limited{items, max}
}

type limited struct {
	items asl.MapItems
	left  int64
}

func (l *limited) Next() (asl.MapItem, error) {
	if l.left == 0 {
		return asl.MapItem{}, io.EOF
	}
	l.left--
	return l.items.Next()
}

// Joined gives the items of several sources one after the other, numbered
// through. open gives the next source, io.EOF after the last.
func Joined(open func() (asl.MapItems, error)) asl.MapItems { return &joined{open: open} }

type joined struct {
	open   func() (asl.MapItems, error)
	now    asl.MapItems
	number int64
}

func (j *joined) Next() (asl.MapItem, error) {
	for {
		if j.now == nil {
			next, err := j.open()
			if err != nil {
				return asl.MapItem{}, err
			}
			j.now = next
		}
		item, err := j.now.Next()
		if err == io.EOF {
			j.now = nil
			continue
		}
		item.Index = j.number
		j.number++
		return item, err
	}
}
