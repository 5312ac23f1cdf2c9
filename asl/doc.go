// Package asl is an engine for Amazon States Language that does nothing by
// itself: no I/O, no clock, no goroutine, no global randomness.
//
// Parse turns a definition into a Machine, or into every problem it has.
// Step takes the position of one execution (State) and one Signal and answers
// with the history events, the commands and, at the end, the result that
// follow. Whoever calls Step commits the new State, the events and the
// commands in one transaction, and carries the commands out afterwards.
//
// # Frames
//
// An execution is a flat set of frames. Frame 0 is the machine itself; each
// branch of a Parallel state and each iteration of a Map state is a frame of
// its own with a number that is never given out again. A task is identified
// by its frame and attempt: the pair is unique in the execution and so serves
// as the idempotency key of the work.
//
// # A transition
//
// Signal Start, or any signal that lets a frame go on, answers with the frames
// that are Ready. The caller sends Advance for each of them, in the order
// given; an Advance enters one state and, when the state needs nothing from
// outside, leaves it again. Until then the ready frames stand in the State, so
// that nothing is lost when the process dies in between: State.Ready lists
// them again.
//
// # Determinism
//
// The same Machine, State, Signal and Env give the same State, events and
// commands, byte for byte.
package asl
