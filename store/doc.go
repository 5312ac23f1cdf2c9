// Package store keeps everything that the portal knows in one SQL database,
// SQLite or PostgreSQL. DB is the one implementation of iap.Transactor and of
// the Store interfaces of the domain packages; one file holds one domain.
//
// What must stay true:
//
//   - A store method that is given the context of an Update takes part in its
//     transaction. Outside of one, a read uses a pool of its own and a write
//     makes its own Update.
//   - On SQLite there is one writing connection. One goroutine, the writer,
//     owns it and lends it to one closure at a time, each run by its caller's
//     goroutine. The closures that wait when one has ended join its
//     transaction, each in a savepoint, so that they share one fsync; nobody
//     is told of success before that fsync.
//   - The statements of a transaction on SQLite cannot be cancelled, because
//     SQLite answers an interrupted write by rolling back everything, the work
//     of other callers included. What was begun is run to its end.
//   - Events get their numbers as the last thing before a commit, from one
//     counter row: alone on SQLite, under that row's lock on PostgreSQL. So
//     their numbers have no gaps and follow the order of commits.
//   - The commits of steps that bring nothing but statements are sent to
//     PostgreSQL in one piece, which the server takes as one transaction: no
//     BEGIN, no COMMIT. Each statement that must change rows fails when it does
//     not, and the whole with it; then they are written as all others are, which
//     tells the commits that are late from those that are not.
//   - A conflict that a caller may want to go on from (a name that is taken)
//     is found without an SQL error, because on PostgreSQL an error ends the
//     transaction. After any SQL error a transaction can only be rolled back,
//     on both databases.
//   - What AfterCommit was given runs in the order of commits, when no lock is
//     held, before Update returns. It must not call Update.
package store
