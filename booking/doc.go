// Package booking holds instances for a time window: deployed and checked some
// time before it, open in it, destroyed after it.
//
// # Invariants
//
// A booking is one row and one execution of the state machine booking.asl.json,
// made in one commit. The machine keeps nothing of its own: each round reads the
// booking and its instance and says what is next (plan.go), so that it stands
// whatever happened between two rounds: a portal that was down, a clock that
// was set, a window that was moved. What it does (deploying, opening, ending) is
// done in the commit of the step that does it, so nothing is done twice.
//
// Who changes a booking or its instance counts the row's Changed up and ends the
// wait of the execution, in the same commit. A wait that would begin with an old
// count fails at once, so no change is missed.
package booking
