package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	iap "github.com/internal-app-portal/iap"
)

// lockFile is the file in a data folder that its process holds.
const lockFile = "lock"

// LockFolder makes this process the only one on a data folder until release is
// called or the process ends, however it ends. Conflict, naming the process
// that holds the folder, when there is one.
func LockFolder(dir string) (release func() error, err error) {
	const op = "store.LockFolder"
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, iap.E(op, iap.Internal, err)
	}
	if err := flock(f); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, iap.Errorf(op, iap.Conflict, "a portal runs on the data folder %s already (%s); use that one, stop it, or choose another folder with --data or IAP_DATA", dir, holder(f))
		}
		return nil, iap.E(op, iap.Internal, err)
	}
	// Who holds the lock is told to the next who wants it; that it is held does
	// not depend on it, so a full disk is no reason not to start.
	if f.Truncate(0) == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return f.Close, nil
}

// lockPatience is how long a held lock is tried again: that of a process that
// was just killed is held until the system has taken it apart, and by a child
// that it was about to start.
const lockPatience = 2 * time.Second

// flock takes the lock of a file, or fails with EWOULDBLOCK.
func flock(f *os.File) error {
	for end := time.Now().Add(lockPatience); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(end) {
			return err
		}
	}
}

func holder(f io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(f, 32))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
