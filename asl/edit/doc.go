// Package edit draws and changes definitions of state machines that people are
// writing: definitions that need not be valid yet. Read makes a graph of
// whatever states there are; an Edit changes the text in one place and keeps
// the formatting, the order and the comments of all the rest, so that the text
// stays the truth while states are added and joined in a graph.
//
// Only the text must be JSON. What is no state, or leads nowhere, is passed
// over: asl.Parse says what is wrong with it.
package edit
