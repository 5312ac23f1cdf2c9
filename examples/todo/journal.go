package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// compactAfter is how many lines a journal may grow beyond its list before it is written anew.
const compactAfter = 2000

// Journal keeps a list as a file of changes, one JSON object a line. A change counts once its line
// is on the disk; a line that was torn by a crash is dropped when the file is opened again.
type Journal struct {
	path  string
	file  *os.File
	size  int64 // bytes up to the last whole line
	lines int
}

// OpenJournal reads the journal in dir, creating it when there is none.
func OpenJournal(dir string) (*Journal, List, error) {
	path := filepath.Join(dir, "todo.jsonl")
	list, lines, size, err := replay(path)
	if err != nil {
		return nil, List{}, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, List{}, err
	}
	j := &Journal{path: path, file: file, size: size, lines: lines}
	if err := j.cut(); err != nil {
		_ = file.Close()
		return nil, List{}, err
	}
	return j, list, nil
}

// replay returns the list that a journal describes, and how many lines and bytes of it are whole.
func replay(path string) (list List, lines int, size int64, err error) {
	list.Next = 1
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return list, 0, 0, nil
	}
	if err != nil {
		return list, 0, 0, err
	}
	for {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !whole {
			return list, lines, size, nil
		}
		var change Change
		if err := json.Unmarshal(line, &change); err != nil {
			return list, lines, size, fmt.Errorf("%s, line %d: %w", path, lines+1, err)
		}
		if list, err = list.With(change); err != nil {
			return list, lines, size, fmt.Errorf("%s, line %d: %w", path, lines+1, err)
		}
		data, lines, size = rest, lines+1, size+int64(len(line))+1
	}
}

// cut drops whatever stands behind the last whole line.
func (j *Journal) cut() error {
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err := j.file.Seek(j.size, io.SeekStart)
	return err
}

// Append writes changes, together or not at all, that lead to the given list. On an error the
// journal is as before.
func (j *Journal) Append(list List, changes ...Change) error {
	if j.lines-len(list.Items) >= compactAfter {
		return j.rewrite(list)
	}
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, c := range changes {
		if err := enc.Encode(c); err != nil {
			return err
		}
	}
	_, err := j.file.Write(lines.Bytes())
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(err, j.cut())
	}
	j.size, j.lines = j.size+int64(lines.Len()), j.lines+len(changes)
	return nil
}

// rewrite puts a short journal of the list in the place of a long one, in one step.
func (j *Journal) rewrite(list List) error {
	file, err := os.OpenFile(j.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := writeList(file, list); err != nil {
		return errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	size, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if err := os.Rename(file.Name(), j.path); err != nil {
		return errors.Join(err, file.Close())
	}
	_ = j.file.Close()
	j.file, j.size, j.lines = file, size, len(list.Items)+1
	return nil
}

func writeList(file *os.File, list List) error {
	w := bufio.NewWriter(file)
	enc := json.NewEncoder(w)
	if err := enc.Encode(Change{Op: "next", ID: list.Next}); err != nil {
		return err
	}
	for _, item := range list.Items {
		if err := enc.Encode(Change{Op: "add", ID: item.ID, Text: item.Text, Done: item.Done}); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Sync()
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }
