package catalog_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"github.com/internal-app-portal/iap/catalog"
)

// TestDirectoryOfNothing: a zip of the largest size that is taken, all of it
// entries without content, costs a bounded multiple of its size.
func TestDirectoryOfNothing(t *testing.T) {
	entry := make([]byte, 47)
	copy(entry, "PK\x01\x02")
	binary.LittleEndian.PutUint16(entry[28:], 1) // length of the name
	entry[46] = 'a'
	n := (catalog.MaxBundle - 22) / len(entry)
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], uint16(n))
	binary.LittleEndian.PutUint16(end[10:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], uint32(n*len(entry)))
	data := append(bytes.Repeat(entry, n), end...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := catalog.CheckBundle(data, catalog.Manifest{}, nil)
	runtime.ReadMemStats(&after)
	refused(t, "entries", err, "bundle", "")
	t.Logf("%v; %d entries, %d MiB", err, n, (after.TotalAlloc-before.TotalAlloc)>>20)
	if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
		t.Errorf("%d MiB were allocated", used>>20)
	}
}
