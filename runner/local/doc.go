// Package local runs jobs as processes on this machine that outlive the
// portal.
//
// Each job has a folder under data/jobs, and a supervisor: the portal's own
// binary, started as "job-supervisor FOLDER" in a session of its own. The
// supervisor runs OpenTofu or Terraform in a process group, writes the log, and
// as its last act puts a file with the result in place. The portal learns of
// all that from the kernel (a pidfd, changes of the folder) and never polls.
//
// What always holds:
//
//   - The supervisor has the folder's lock from the moment it is started: the
//     portal takes the lock and hands the open file on. A job whose lock is
//     free and that has a pid but no result has lost its supervisor; whoever
//     waits for it ends what is left of it and writes the result.
//   - A job is started once: a folder with a pid is never started again.
//   - result.json appears whole, by a rename, after all else in the folder.
//   - The folder of a bundle that is ready is never written to again. Jobs get
//     copies of its files.
//   - A provider that a job keeps for itself is named in the job's folder before
//     it does anything, and has ended before the result is there.
//   - A spare supervisor holds the lock of its own folder, which becomes the job's
//     by a rename. Until it has written its pid there it has done nothing, and
//     whoever finds the folder without one may start the job anew.
//   - A file with a secret is readable by the portal's user alone and is
//     removed when its job has ended.
package local
