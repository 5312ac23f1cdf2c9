// Package client speaks to a portal over its REST API. It holds the types
// that travel on the wire, which the API itself uses too.
package client
