// Package cli is the command line: it reads arguments, environment and
// configuration file, speaks to a portal through package client, and writes
// for people or as JSON.
//
// What holds for every command: stdout gets the result and nothing else;
// progress, hints and questions go to stderr, hints and questions only on a
// terminal; -o json gives one JSON document, or one a line where it goes on.
package cli
