package workflow

// Invariants
//
// An execution changes in one place alone: a stepper. It takes the execution as
// it was read, gives signals to asl.Step, and writes one Commit: the row with
// its version raised by one, the history, the tasks that follow, the parts of a
// large State. So the state, the history, the tasks and whatever a Commit
// handler wrote are true together or not at all. A commit whose version was
// passed by another, or one of whose rows is not this process's any more,
// writes nothing: the execution is read again.
//
// What comes for an execution queues at its live; one goroutine at a time takes
// all that has come in one commit. The steps of a machine whose handlers work
// outside of transactions are worked out outside of any too, so that the store
// can write many in one; all others are taken in a transaction. Between two
// steps the execution is kept in memory only while one of its calls runs here,
// and a kept one that is outdated is harmless, for it is fenced by its version.
// Within somebody else's transaction a step reads and writes in that one (step).
//
// What must happen after a commit is a row of the task table before it is a
// goroutine: an advance (transitions are left to be taken), a call (a handler
// is to be run) or a timer. A goroutine that does the work of a row holds its
// lease and finishes the row in the commit that takes the result, so that a
// result is taken once. A process whose name is lost (identity) finishes none of
// the rows that it held under it. What this process wrote with itself as the
// owner it starts after the commit without reading it back; all else is found
// by schedule, which wakes at a signal or when the next row is due.
//
// The start and the end of an execution are told in their commits. What comes
// between is told at most every tellEvery, after the commits.
//
// An execution that waits, for a token or for a time, is rows and nothing else.
