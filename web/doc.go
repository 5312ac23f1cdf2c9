// Package web is the portal in the browser: pages rendered on the server, the
// files they need, and the one live stream of events for each browser.
//
// What always holds:
//
//   - A page carries the number of the newest event as it was before the page's
//     data was read; the stream starts there, so that nothing is missed in
//     between. What a page meets twice is rendered from the present state and
//     therefore harmless.
//   - What a viewer gets by an event is rendered once for each audience (the
//     owner, the admins), however many streams are open, and nothing is read for
//     what no stream wants.
//   - A stream holds a place in the event log and at most one batch of
//     events and one piece of a log: a slow browser costs no more, and is cut
//     off when a write takes too long.
//   - Pages need no script and no style of their own: the Content-Security-Policy
//     allows files of the portal alone.
package web
