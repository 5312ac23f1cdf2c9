package asl

import (
	"math"
	"strconv"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// maxBatchBytes is the largest MaxInputBytesPerBatch that AWS takes.
const maxBatchBytes = DefaultPayloadBytes

// maxReadItems is the largest MaxItems that AWS takes.
const maxReadItems = 100_000_000

// tolerance evaluates how many items may fail.
func (x *exec) tolerance(o *MapRunOrder) *failure {
	m := x.def.spec.iterate
	n, set, f := x.count(m.toleratedCount)
	if f != nil {
		return f
	}
	if set {
		o.ToleratedCount = &n
	}
	p, set, f := x.percentage(m.toleratedPercentage)
	if set {
		o.ToleratedPercentage = &p
	}
	return f
}

// count evaluates an integer from 0 on.
func (x *exec) count(a amount) (n int64, set bool, f *failure) {
	switch {
	case a.query != nil:
		v, f := x.queryCount(a)
		return v, f == nil, f
	case a.path != nil:
		n, f := x.natural(a.path, a.name)
		return n, f == nil, f
	}
	return int64(a.number), a.set, nil
}

// percentage evaluates a number from 0 to 100.
func (x *exec) percentage(a amount) (p float64, set bool, f *failure) {
	var v value.Value
	switch {
	case a.query != nil:
		if v, f = x.queryAmount(a); f != nil {
			return 0, false, f
		}
	case a.path != nil:
		if v, f = x.plain(a.path); f != nil {
			return 0, false, f
		}
	default:
		return a.number, a.set, nil
	}
	ok := false
	switch v := v.(type) {
	case value.Number:
		p, ok = v.Float64(), true
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		p, ok = n, err == nil && !math.IsNaN(n)
	}
	switch {
	case !ok && a.path != nil:
		return 0, false, x.runtime("The %sPath field refers to value \"%s\" which is not a valid float: %s", a.name, display(v), a.path.text)
	case !ok:
		return 0, false, x.notANumber(a)
	case p < 0 || p > 100:
		return 0, false, x.runtime("%s must be between 0 and 100.", a.name)
	}
	return p, true, nil
}

// between is count for a number with bounds.
func (x *exec) between(a amount, least, most int64) (int64, *failure) {
	n, set, f := x.count(a)
	if f == nil && set && (n < least || n > most) {
		return 0, x.runtime("%s must be between %d and %d.", a.name, least, most)
	}
	return n, f
}

func (x *exec) reader(run *mapRunSpec, o *MapRunOrder) *failure {
	s := run.reader
	if s == nil {
		return nil
	}
	c := s.config
	o.Reader = &ItemReader{Resource: s.resource, InputType: c.inputType, CSVHeaderLocation: c.csvHeaderLocation,
		CSVHeaders: c.csvHeaders, CSVDelimiter: c.csvDelimiter, Transformation: c.transformation,
		ManifestType: c.manifestType, ItemsPointer: c.itemsPointer}
	var f *failure
	if o.Reader.MaxItems, f = x.between(c.maxItems, 0, maxReadItems); f != nil {
		return f
	}
	o.Reader.Arguments, f = x.filled(s.parameters, s.arguments)
	return f
}

func (x *exec) batcher(run *mapRunSpec, o *MapRunOrder) *failure {
	s := run.batcher
	if s == nil {
		return nil
	}
	o.Batcher = &ItemBatcher{}
	var f *failure
	if o.Batcher.MaxItems, f = x.between(s.maxItems, 1, maxReadItems); f != nil {
		return f
	}
	if o.Batcher.MaxBytes, f = x.between(s.maxBytes, 1, maxBatchBytes); f != nil {
		return f
	}
	o.Batcher.Input, f = x.filled(s.input, s.inputQuery)
	return f
}

func (x *exec) writer(run *mapRunSpec, o *MapRunOrder) *failure {
	s := run.writer
	if s == nil {
		return nil
	}
	o.Writer = &ResultWriter{Resource: s.resource, Transformation: s.transformation, OutputType: s.outputType}
	var f *failure
	o.Writer.Arguments, f = x.filled(s.parameters, s.arguments)
	return f
}

// filled evaluates a template of either query language; absent when there is
// none.
func (x *exec) filled(t *template, q *queryTemplate) (value.JSON, *failure) {
	var v value.Value
	var f *failure
	switch {
	case q != nil:
		v, f = x.fillQuery(q)
	case t != nil:
		v, f = x.fill(t)
	default:
		return value.JSON{}, nil
	}
	if f != nil {
		return value.JSON{}, f
	}
	return x.store(v)
}
