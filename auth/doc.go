// Package auth says who asks: people whom the configuration names, by a token
// or by the session that a browser got for it, and in development mode
// everybody on this machine as the local admin.
//
// What always holds: a token is never stored, only its SHA-256; a request with
// anything odd about it (two tokens, two session cookies, a cookie that was
// changed) is nobody's, never somebody else's; a session ends when it was
// revoked, when its time is up, and when its person's token is changed or
// removed.
package auth
