// Package job runs bundles: one Job is one apply or destroy by a Runner, with
// steps and a log. Jobs wait in a queue, run in processes that outlive the
// portal, and are found again after a restart.
//
// What always holds:
//
//   - The store says where a job is. What this process has in memory (its
//     workers, its backoffs) is made anew from the store by Start.
//   - A job is marked as running in a commit of its own before the Runner is
//     told. A process that dies in between leaves a running job of which the
//     Runner never heard; it is then started, once, because starting twice is
//     harmless.
//   - Every change of a job reads its row, writes it and appends its event in
//     one transaction, so that a worker and a request to cancel never
//     overwrite each other.
//   - One transaction ends a job: the row, the event and OnEnd. It is tried
//     until it succeeds; until then the Runner keeps the result.
//   - Nothing polls: the dispatcher sleeps until it is signalled after a
//     commit or until a backoff is over.
package job
