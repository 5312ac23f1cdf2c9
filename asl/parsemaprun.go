package asl

import (
	"slices"
	"strings"
	"unicode"

	"github.com/internal-app-portal/iap/asl/value"
)

// amount reads a number, a path under Name+"Path", or an expression. All but
// percentages are whole.
func (c *checker) amount(n *node, name string, lang QueryLanguage, low, high float64) amount {
	a := amount{name: name}
	f, fixed := n.field(name)
	p, dynamic := n.field(name + "Path")
	dynamic = dynamic && lang != JSONata
	if fixed && dynamic {
		c.onlyOne(n, name, name+"Path")
	}
	if dynamic {
		if e, ok := c.path(p); ok {
			a.path = &e
		}
	}
	if !fixed {
		return a
	}
	if a.query, fixed = c.queryOf(f, lang); fixed {
		return a
	}
	a.set = true
	if strings.HasSuffix(name, "Percentage") {
		a.number = c.number(f)
	} else {
		i, ok := c.integer(f)
		if !ok {
			return a
		}
		a.number = float64(i)
	}
	switch {
	case a.number < low:
		c.schema(f, "Minimum value is %.0f", low)
	case a.number > high:
		c.schema(f, "Maximum value is %.0f", high)
	}
	return a
}

// label reads the name of a distributed Map state's runs.
func (c *checker) label(n *node) string {
	s, ok := c.text(n)
	if !ok {
		return ""
	}
	if len([]rune(s)) > maxLabel {
		c.problem(n, CodeLabel, "Label cannot exceed %d characters", maxLabel)
	}
	for _, r := range s {
		if badInLabel(r) {
			c.problem(n, CodeLabel, "Label contains invalid character: %s", quoted(r))
			break
		}
	}
	if c.labels[s] {
		c.problem(n, CodeTwoLabels, "Duplicate Label name: %s", s)
	}
	c.labels[s] = true
	return s
}

// badInLabel tells the characters that a Label must not have: blanks, wildcards,
// brackets, special and control characters.
func badInLabel(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`?*<>{}[]:;,\|^~$#%&"`+"`", r)
}

func (c *checker) reader(n *node, lang QueryLanguage) *readerSpec {
	known := []string{"Resource", "Parameters", "Arguments", "ReaderConfig"}
	c.unknown(n, known)
	c.language(n, lang, known)
	r := &readerSpec{}
	if c.required(n, "Resource") {
		f, _ := n.field("Resource")
		r.resource = c.storage(f, "getObject", "listObjectsV2")
	}
	if lang == JSONata {
		r.arguments = c.queryField(n, "Arguments")
	} else {
		r.parameters = c.templateField(n, "Parameters")
	}
	if f, ok := n.field("ReaderConfig"); ok && c.isObject(f) {
		r.config = c.readerConfig(f, lang)
	}
	return r
}

// storage reads the Resource of an ItemReader or ResultWriter: an action of the
// blob store.
func (c *checker) storage(n *node, actions ...string) Resource {
	s, ok := c.text(n)
	if !ok {
		return Resource{}
	}
	r, ok := ParseResource(s)
	switch {
	case !isResource(s, ok):
		c.schema(n, "Value is not a valid resource ARN")
	case ok && (r.Service != "s3" || !slices.Contains(actions, r.API)):
		c.schema(n, "The field 'Resource' does not match any of the allowed values").
			hint("it may be arn:aws:states:::s3: and one of %s", strings.Join(actions, ", "))
	}
	return r
}

func (c *checker) readerConfig(n *node, lang QueryLanguage) readerConfig {
	known := []string{"InputType", "CSVHeaderLocation", "CSVHeaders", "CSVDelimiter", "MaxItems", "MaxItemsPath",
		"Transformation", "ManifestType", "ItemsPointer"}
	c.unknown(n, known)
	c.language(n, lang, known)
	var r readerConfig
	for name, at := range map[string]*string{"InputType": &r.inputType, "CSVHeaderLocation": &r.csvHeaderLocation,
		"CSVDelimiter": &r.csvDelimiter, "Transformation": &r.transformation, "ManifestType": &r.manifestType} {
		if f, ok := n.field(name); ok {
			*at = c.oneOf(f, readerWords[name]...)
		}
	}
	r.itemsPointer = c.optionalString(n, "ItemsPointer")
	r.maxItems = c.amount(n, "MaxItems", lang, 0, 100_000_000)
	headers, given := n.field("CSVHeaders")
	if given && c.isArray(headers) {
		for _, h := range headers.items() {
			name, _ := c.text(h)
			r.csvHeaders = append(r.csvHeaders, name)
		}
	}
	location, located := n.field("CSVHeaderLocation")
	switch {
	case r.csvHeaderLocation == "GIVEN" && !given:
		c.required(n, "CSVHeaders")
	case r.inputType == "CSV" && !located:
		c.schema(n, "The field 'CSVHeaderLocation' is required")
	case located && (r.inputType == "JSON" || r.inputType == "JSONL"):
		c.schema(location, "Field 'CSVHeaderLocation' is not supported").around(location)
	}
	return r
}

// readerWords are the values of fields of ReaderConfig.
var readerWords = map[string][]string{
	"InputType":         {"CSV", "JSON", "JSONL", "PARQUET", "MANIFEST"},
	"CSVHeaderLocation": {"FIRST_ROW", "GIVEN"},
	"CSVDelimiter":      {"COMMA", "PIPE", "SEMICOLON", "SPACE", "TAB"},
	"Transformation":    {"NONE", "LOAD_AND_FLATTEN"},
	"ManifestType":      {"ATHENA_DATA", "S3_INVENTORY"},
}

func (c *checker) batcher(n *node, lang QueryLanguage) *batcherSpec {
	known := []string{"BatchInput", "MaxItemsPerBatch", "MaxItemsPerBatchPath", "MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"}
	c.unknown(n, known)
	c.language(n, lang, known)
	b := &batcherSpec{
		maxItems: c.amount(n, "MaxItemsPerBatch", lang, 1, maxSeconds),
		maxBytes: c.amount(n, "MaxInputBytesPerBatch", lang, 1, DefaultPayloadBytes),
	}
	if lang == JSONata {
		b.inputQuery = c.queryField(n, "BatchInput")
	} else {
		b.input = c.templateField(n, "BatchInput")
	}
	if !b.maxItems.given() && !b.maxBytes.given() {
		c.schema(n, "At least one of 'MaxItemsPerBatch' and 'MaxInputBytesPerBatch' is required")
	}
	return b
}

func (a amount) given() bool { return a.set || a.path != nil || a.query != nil }

func (c *checker) writer(n *node, lang QueryLanguage) *writerSpec {
	known := []string{"Resource", "Parameters", "Arguments", "WriterConfig"}
	c.unknown(n, known)
	c.language(n, lang, known)
	w := &writerSpec{}
	if f, ok := n.field("Resource"); ok {
		r := c.storage(f, "putObject")
		w.resource = &r
	}
	if lang == JSONata {
		w.arguments = c.queryField(n, "Arguments")
	} else {
		w.parameters = c.templateField(n, "Parameters")
	}
	f, configured := n.field("WriterConfig")
	if configured && c.isObject(f) {
		c.unknown(f, []string{"Transformation", "OutputType"})
		if t, ok := f.field("Transformation"); ok {
			w.transformation = c.oneOf(t, "NONE", "COMPACT", "FLATTEN")
		}
		if t, ok := f.field("OutputType"); ok {
			w.outputType = c.oneOf(t, "JSON", "JSONL")
		}
	}
	if o, _ := n.v.(*value.Object); w.resource == nil && !configured && o.Len() > 0 {
		c.required(n, "Resource")
	}
	return w
}
