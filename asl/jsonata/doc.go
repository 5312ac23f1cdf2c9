// Package jsonata evaluates JSONata expressions as AWS Step Functions has them.
//
// Compile reads an expression in Go: it finds mistakes with their position and
// tells which variables the expression names, without an engine. Evaluating is
// done by the official jsonata package (js/jsonata.js, MIT licence beside it)
// in QuickJS machines of a Pool, each with bounds on memory, time and depth.
// What is cheap to do exactly as that engine does — literals, variables, plain
// paths, comparisons, simple arithmetic, constructors — is done in Go without
// a machine; the tests hold the two against each other.
//
// Beside the language's own functions there are AWS's $partition, $range,
// $hash, $random (with a seed), $uuid and $parse; $eval does not exist.
//
// Values keep the order of their keys and all digits on their way through an
// expression as long as it only passes them on. What it computes are
// JavaScript's numbers, and objects that it builds in the engine have keys that
// look like array indices first.
package jsonata
