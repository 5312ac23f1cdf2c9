// Package schedule starts executions of state machines at wall-clock times in
// a time zone.
//
// # Invariants
//
// A firing is a row, unique by the schedule and the local date and time it is
// for, written in the commit that starts its execution and moves the schedule
// on. So whatever happens (two replicas, a clock that jumps, a process that
// dies at any instruction, clocks that are put back) each local time is fired
// at most once; and since the next time is kept with the schedule, one that
// came while the portal was down is found when it is up again, and fired when
// it is not older than the schedule's grace.
//
// The row of a schedule is locked by who works on it. Nothing is kept in
// memory but the time to look again, which is never more than a minute away,
// so that a clock that was set is noticed.
package schedule
