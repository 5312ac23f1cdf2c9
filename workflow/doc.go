package workflow

// Invariants
//
// An execution changes in one place alone: step, in a transaction. It reads the
// row, gives signals to asl.Step, writes the row with its version raised by
// one, appends the history and writes the tasks that follow. So the state, the
// history, the tasks and whatever a Commit handler wrote are true together or
// not at all.
//
// What must happen after a commit is a row of the task table before it is a
// goroutine: an advance (transitions are left to be taken), a call (a handler
// is to be run) or a timer. A goroutine that does the work of a row holds its
// lease and finishes the row in the transaction that takes the result, so that
// a result is taken once. What this process wrote with itself as the owner it
// starts after the commit without reading it back; all else is found by
// schedule, which wakes at a signal or when the next row is due.
//
// An execution that waits, for a token or for a time, is rows and nothing else.
