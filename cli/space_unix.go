//go:build linux || darwin

package cli

import "syscall"

// freeSpace returns the bytes that may still be written in a folder.
func freeSpace(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
