package bucket

import (
	"errors"
	"syscall"
)

// isNotDir tells that a part of a path is a file.
func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
