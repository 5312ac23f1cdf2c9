// Package api is the portal's REST API under /api/v1, its description at
// /api/openapi.json (OpenAPI 3.1) and a page to read it at /api/docs.
//
// Handlers return errors; problem.go alone turns them into answers (RFC 9457),
// so that what is internal stays in the log. Who asks is in the request's
// context when it comes in: see Config.Auth.
package api
