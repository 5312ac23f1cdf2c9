package workflow

// NewUUID gives a random UUID (RFC 9562, version 4), as $uuid does.
func NewUUID() string { return newUUID() }
