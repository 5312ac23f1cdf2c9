// Command todo is a to-do list that several people share: whoever has its address sees every
// change at once. It keeps the list in a journal under DATA_DIR.
package main

import (
	"io"
	"log"
	"os"
	"strings"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

func main() {
	ctx, stop := app.Signalled()
	defer stop()
	logger := app.Logger(os.Stdout, "todo")
	store, closeStore := openStore(os.Getenv("DATA_DIR"), logger)
	handler, err := newHandler(store, title(os.Getenv("LIST_TITLE")), logger)
	if err == nil {
		err = app.Run(ctx, os.Getenv, handler, logger)
	}
	_ = closeStore.Close()
	if err != nil {
		logger.Print(err)
		os.Exit(1)
	}
}

// title is the heading of the list: one line, with a default.
func title(text string) string {
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return "Our list"
	}
	return text
}

// openStore opens the list in dir (by default /data). A list that cannot be kept there is still
// useful, so it is then kept in memory, and the log says so.
func openStore(dir string, logger *log.Logger) (*Store, io.Closer) {
	if dir == "" {
		dir = "/data"
	}
	journal, list, err := OpenJournal(dir)
	if err != nil {
		logger.Printf("cannot keep the list in %s, it lives in memory only: %v", dir, err)
		return NewStore(List{}, nil), io.NopCloser(nil)
	}
	logger.Printf("%d items in %s", len(list.Items), dir)
	return NewStore(list, journal), journal
}
