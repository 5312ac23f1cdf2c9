package store

import (
	"fmt"
	"strings"
)

// conditions collects the parts of a WHERE clause.
type conditions struct {
	parts []string
	args  []any
}

// add adds a part in which each ? is the argument.
func (c *conditions) add(part string, arg any) {
	c.args = append(c.args, arg)
	c.parts = append(c.parts, strings.ReplaceAll(part, "?", fmt.Sprintf("$%d", len(c.args))))
}

// text is add for a text, which sets no condition when it is empty.
func (c *conditions) text(part, arg string) {
	if arg != "" {
		c.add(part, arg)
	}
}

// among has a column be one of the values; without any it may be all.
func among[T ~string](c *conditions, column string, values []T) {
	if len(values) == 0 {
		return
	}
	in, args := oneOf(c.args, values)
	c.args, c.parts = args, append(c.parts, column+" IN ("+in+")")
}

// newest completes a query of a table with an id: the newest rows that meet the
// conditions, limit at most.
func (c *conditions) newest(query string, limit int) (string, []any) {
	if len(c.parts) > 0 {
		query += "WHERE " + strings.Join(c.parts, " AND ")
	}
	c.args = append(c.args, limit)
	return query + fmt.Sprintf(" ORDER BY id DESC LIMIT $%d", len(c.args)), c.args
}
