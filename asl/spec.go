package asl

import (
	"github.com/internal-app-portal/iap/asl/intrinsic"
	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

// spec is all of a state's definition that only Step needs, compiled.
type spec struct {
	inputPath, outputPath *pathField
	parameters            *template // Parameters of all but Map
	resultSelector        *template
	resultPath            *resultField
	assign                *template
	// What a JSONata state has in their place.
	arguments, output, assignQuery *queryTemplate

	retry []retrier
	catch []catcher

	task   *taskSpec
	pass   value.JSON // Result of a Pass state
	choice []choice
	// otherwise is the Default of a Choice state.
	otherwise string
	wait      *waitSpec
	fail      *failSpec
	iterate   *mapSpec
}

// expr is a path or a call of an intrinsic function.
type expr struct {
	text string
	path *jsonpath.Path
	call *intrinsic.Call
}

// pathField is InputPath or OutputPath: a path, or null for {}.
type pathField struct {
	null bool
	expr expr
}

// resultField is ResultPath: a reference path, or null to drop the result.
type resultField struct {
	null bool
	path *jsonpath.Path
}

type taskSpec struct {
	timeout, heartbeat secondsField
	credentials        *template
	credentialsQuery   *queryTemplate
}

// secondsField is a number of seconds, or a path or expression that leads to
// one; zero is not set.
type secondsField struct {
	name    string
	seconds int64
	path    *expr
	query   *query
}

type waitSpec struct {
	seconds   *value.Number
	path      *expr // SecondsPath or TimestampPath
	timestamp string
	query     *query // JSONata, for Seconds or Timestamp
	// isTime tells that path or query leads to a timestamp.
	isTime bool
}

type failSpec struct {
	err, cause         *string
	errPath, causePath *expr
	// JSONata.
	errQuery, causeQuery *query
}

type mapSpec struct {
	items            *expr          // ItemsPath
	list             *queryTemplate // Items of JSONata
	selector         *template
	selectorQuery    *queryTemplate
	concurrency      int64
	concurrencyPath  *expr
	concurrencyQuery *query
	// Of a distributed Map state; AWS evaluates them in an inline one as well
	// when the language is JSONata.
	toleratedCount, toleratedPercentage amount
	// run is what a distributed Map state has besides; nil when it is inline.
	run *mapRunSpec
}

type retrier struct {
	errors     []string
	interval   float64 // seconds
	attempts   int
	backoff    float64
	maxDelay   float64 // seconds, 0 for none
	fullJitter bool
}

type catcher struct {
	errors     []string
	resultPath *resultField
	assign     *template
	next       string
	// JSONata.
	output, assignQuery *queryTemplate
}

// choice is one rule of a Choice state.
type choice struct {
	cond   condition
	next   string
	assign *template
	// JSONata.
	output, assignQuery *queryTemplate
}

// condition is a comparison or a combination of conditions.
type condition struct {
	all, any []condition
	not      *condition

	variable expr
	op       string // as in the definition, without "Path"
	literal  value.Value
	other    *expr // the path to compare with
	pattern  []string

	query *query // Condition of JSONata
}

// mapRunSpec is what a distributed Map state has besides.
type mapRunSpec struct {
	// express tells that children are Express executions.
	express bool
	label   string
	reader  *readerSpec
	batcher *batcherSpec
	writer  *writerSpec
}

// amount is a number, or a path or expression that leads to one.
type amount struct {
	name   string // of the field, without "Path"
	set    bool   // whether number was given
	number float64
	path   *expr
	query  *query
}

// readerSpec is ItemReader.
type readerSpec struct {
	resource   Resource
	parameters *template
	arguments  *queryTemplate
	config     readerConfig
}

// readerConfig is ReaderConfig; a text is "" when it was not given.
type readerConfig struct {
	inputType         string // CSV, JSON, JSONL, MANIFEST or PARQUET
	csvHeaderLocation string // FIRST_ROW or GIVEN
	csvHeaders        []string
	csvDelimiter      string // COMMA, PIPE, SEMICOLON, SPACE or TAB
	transformation    string // NONE or LOAD_AND_FLATTEN
	manifestType      string // ATHENA_DATA or S3_INVENTORY
	itemsPointer      string
	maxItems          amount
}

// batcherSpec is ItemBatcher.
type batcherSpec struct {
	maxItems, maxBytes amount
	input              *template
	inputQuery         *queryTemplate
}

// writerSpec is ResultWriter.
type writerSpec struct {
	resource   *Resource
	parameters *template
	arguments  *queryTemplate
	// transformation is NONE, COMPACT or FLATTEN, outputType JSON or JSONL; ""
	// when it was not given.
	transformation, outputType string
}
