// Package tfstate is the portal's Terraform HTTP backend
// (developer.hashicorp.com/terraform/language/backend/http): it keeps one state
// for each instance, in versions, encrypted, with locks that live as long as
// their jobs.
//
// What always holds:
//
//   - A job's password opens its own instance's state, while the job lives, and
//     nothing else.
//   - A state is stored as it came. Of its content only the serial and the
//     lineage are looked at, and only where they can be read, because
//     OpenTofu may encrypt it.
//   - A lock whose job has ended holds nobody up: who asks next gets it, and an
//     event tells so.
//   - What a client repeats because an answer was lost (LOCK, UNLOCK, the same
//     state again) succeeds again.
package tfstate
