// Package iap holds what every other package of the Internal App Portal
// shares: identifiers, the one error type, the actor of a request and the
// contract of a transaction. It imports the standard library alone.
package iap
