// Package apitest is a portal in memory for tests of the API, its client and
// the command line: the real API over stand-ins for the services, which do at
// once, and without any platform, what the services do.
package apitest
