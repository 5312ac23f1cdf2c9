package web

import (
	"bytes"
	"context"
	"strconv"
	"strings"
)

// endTopic is how the topics of what a page says of an instance's end and of its
// last use begin; the instance's ID follows.
const endTopic = "end-"

// used adds what has changed of the ends and the uses that the browser's pages
// show. Use makes no event, so it is looked at with each heartbeat.
func (v *viewer) used(ctx context.Context) {
	for topic := range v.wants {
		id, ok := strings.CutPrefix(topic, endTopic)
		if !ok {
			continue
		}
		i, err := v.s.cfg.Instances.Get(ctx, v.actor, id)
		if err != nil {
			continue // it is gone, or another's: nothing to tell
		}
		html, err := v.s.part("board-end-text", v.s.viewInstance(ctx, i, v.actor.ID))
		if err != nil {
			v.s.cfg.Logger.Warn("the end of an instance could not be shown", "instance", id, "err", err)
			continue
		}
		if !bytes.Equal(html, v.ends[topic]) {
			v.ends[topic] = html
			v.message(strconv.FormatInt(v.last, 10), topic, html)
		}
	}
}
