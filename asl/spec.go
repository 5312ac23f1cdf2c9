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
	retry                 []retrier
	catch                 []catcher

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
}

// secondsField is a number of seconds or a path to one; zero is not set.
type secondsField struct {
	name    string
	seconds int64
	path    *expr
}

type waitSpec struct {
	seconds   *value.Number
	path      *expr // SecondsPath or TimestampPath
	timestamp string
	// isTime tells that path leads to a timestamp.
	isTime bool
}

type failSpec struct {
	err, cause         *string
	errPath, causePath *expr
}

type mapSpec struct {
	items           *expr
	selector        *template
	concurrency     int64
	concurrencyPath *expr
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
}

// choice is one rule of a Choice state.
type choice struct {
	cond   condition
	next   string
	assign *template
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
}
