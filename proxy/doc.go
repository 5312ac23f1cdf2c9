// Package proxy answers on the hosts of instances: it passes requests to the
// app of a running instance and shows a page for all others.
//
// What always holds:
//
//   - The table of routes follows the event log; nobody else writes to it. A
//     request that the table knows as running needs no lock, no database and
//     no log line. All others are looked up in the store, which is right even
//     where the table is still a moment behind.
//   - What the portal says of a person never comes from the client: identity
//     and forwarding headers are dropped in every spelling that a server may
//     read as them, and made anew.
//   - The portal's cookies never reach an app, and an app's cookies never
//     reach beyond its own host.
//   - A WebSocket or stream that is open ends when its sender loses the right to
//     it: after each logout, and each change of its instance, it is decided on
//     anew.
//   - The paths under /.iap/ belong to the portal on every host.
package proxy
