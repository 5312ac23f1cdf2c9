package sfn

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// tokenLife is how long a nextToken is good for, as on AWS.
const tokenLife = 24 * time.Hour

// pageToken is what a nextToken holds: where the next page begins, and of what.
type pageToken struct {
	Of    []byte `json:"o"` // hash of the action and what it lists
	After string `json:"a"`
	Until int64  `json:"u"` // Unix seconds
}

// paging are the members of requests that list.
type paging struct {
	max   *int64
	token *string
	of    []string
}

const defaultPage = 100

// page returns how many are wanted and behind what; a token of another list or
// one that is too old is refused.
func (r *request) page(p paging) (limit int, after string, err error) {
	limit = defaultPage
	if p.max != nil && *p.max > 0 {
		limit = int(*p.max)
	}
	if p.token == nil {
		return limit, "", nil
	}
	var t pageToken
	b, err := base64.RawURLEncoding.DecodeString(*p.token)
	if err != nil || json.Unmarshal(b, &t) != nil || string(t.Of) != string(r.list(p)) || t.Until < r.Now().Unix() {
		return 0, "", refuse("InvalidToken", "Invalid Token: 'Invalid token'")
	}
	return limit, t.After, nil
}

// next makes the token for what comes behind after.
func (r *request) next(p paging, after string) *string {
	b, err := json.Marshal(pageToken{Of: r.list(p), After: after, Until: r.Now().Add(tokenLife).Unix()})
	if err != nil {
		return nil // the fields always marshal
	}
	s := base64.RawURLEncoding.EncodeToString(b)
	return &s
}

func (r *request) list(p paging) []byte {
	sum := sha256.Sum256([]byte(r.operation + "\x00" + strings.Join(p.of, "\x00")))
	return sum[:8]
}

// cut returns the first limit of a list that was asked for one more, and the
// token when there is more.
func cut[T any](r *request, p paging, list []T, limit int, key func(T) string) ([]T, *string) {
	if len(list) <= limit {
		return list, nil
	}
	list = list[:limit]
	return list, r.next(p, key(list[limit-1]))
}
