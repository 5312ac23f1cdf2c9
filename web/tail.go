package web

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/internal-app-portal/iap/event"
)

// tailPrefix begins the topics of those who follow the log itself: the filter
// follows, as in the address of the log's page.
const tailPrefix = "tail:"

// tail is one filter by which a stream follows the log.
type tail struct {
	topic string
	query event.Query
}

// tailTopic is the topic of the events that a filter chooses. It holds no "-",
// before which the kind of a topic ends.
func tailTopic(f eventFilter) string {
	return tailPrefix + strings.ReplaceAll(f.values().Encode(), "-", "%2D")
}

// parseTail reads a topic; false when it is none of the log's.
func (s *Server) parseTail(topic string) (tail, bool) {
	text, ok := strings.CutPrefix(topic, tailPrefix)
	if !ok {
		return tail{}, false
	}
	q, err := url.ParseQuery(text)
	return tail{topic, readEventFilter(q).query(s)}, err == nil
}

// tailName is the name of the fragment that shows an event in the log; it is
// sent under the topic of each filter that chooses the event.
const tailName = "tail"

// tails returns the messages of an event for those who follow the log on this
// stream.
func (v *viewer) tailed(ctx context.Context, e event.Event) (texts [][]byte) {
	for _, t := range v.tails {
		if !t.query.Matches(e) {
			continue
		}
		for _, f := range v.s.messages(ctx, e, v.actor) {
			if f.name != tailName {
				continue
			}
			if row, ok := bytes.CutPrefix(f.encoded(), []byte("data: "+tailName+"\n")); ok {
				texts = append(texts, append([]byte("data: "+t.topic+"\n"), row...))
			}
		}
	}
	return texts
}
