package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

func (c *checker) task(n *node, s *StateDef) {
	s.spec.task = &taskSpec{
		timeout:   c.seconds(n, "TimeoutSeconds"),
		heartbeat: c.seconds(n, "HeartbeatSeconds"),
	}
	if f, ok := n.field("Credentials"); ok && c.isObject(f) {
		_, fixed := f.field("RoleArn")
		_, dynamic := f.field("RoleArn" + pathSuffix)
		if !fixed && !dynamic {
			c.schema(f, "The field 'RoleArn' is required but was missing")
		}
		s.spec.task.credentials = c.template(f)
	}
	h, t := s.spec.task.heartbeat.seconds, s.spec.task.timeout.seconds
	if h > 0 && t > 0 && h >= t {
		c.schema(n, "The field 'HeartbeatSeconds' (%d) must be smaller than 'TimeoutSeconds' (%d)", h, t)
	}
	f, ok := c.required(n, "Resource")
	if !ok {
		return
	}
	if arn, ok := c.text(f); ok {
		s.Resource, ok = ParseResource(arn)
		if !isResource(arn, ok) {
			c.schema(f, "Value is not a valid resource ARN")
		}
	}
}

// seconds reads a field that is a number of seconds, or a path under Name+"Path".
func (c *checker) seconds(n *node, name string) secondsField {
	s := secondsField{name: name}
	f, fixed := n.field(name)
	p, dynamic := n.field(name + "Path")
	if fixed && dynamic {
		c.schema(n, "A state must not have both '%s' and '%sPath'", name, name)
	}
	if fixed {
		s.seconds = c.positive(f)
	}
	if dynamic {
		if e, ok := c.path(p); ok {
			s.path = &e
		}
	}
	return s
}

func (c *checker) wait(n *node, s *StateDef) {
	w := &waitSpec{}
	s.spec.wait = w
	found := 0
	if f, ok := n.field("Seconds"); ok {
		found++
		c.natural(f)
		if num, ok := f.v.(value.Number); ok {
			w.seconds = &num
		}
	}
	if f, ok := n.field("Timestamp"); ok {
		found++
		if w.timestamp, ok = c.text(f); ok {
			if _, ok := parseTimestamp(w.timestamp); !ok {
				c.schema(f, "String does not match RFC3339 timestamp")
			}
		}
	}
	for _, name := range []string{"SecondsPath", "TimestampPath"} {
		if f, ok := n.field(name); ok {
			found++
			w.isTime = name == "TimestampPath"
			if e, ok := c.path(f); ok {
				w.path = &e
			}
		}
	}
	if found != 1 {
		c.schema(n, "A Wait state must contain exactly one of [\"Seconds\", \"SecondsPath\", \"Timestamp\", \"TimestampPath\"]; this one has %d", found)
	}
}

// parseTimestamp reads RFC 3339 as AWS does: "T" is needed, and a zone.
func parseTimestamp(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

func (c *checker) failState(n *node, s *StateDef) {
	f := &failSpec{}
	s.spec.fail = f
	read := func(name string, fixed **string, dynamic **expr) {
		plain, ok := n.field(name)
		if ok {
			if v, ok := c.text(plain); ok {
				*fixed = &v
			}
		}
		if p, both := n.field(name + "Path"); both {
			*dynamic = c.pathOrCall(p)
			if ok {
				c.schema(n, "A state must not have both '%s' and '%sPath'", name, name)
			}
		}
	}
	read("Error", &f.err, &f.errPath)
	read("Cause", &f.cause, &f.causePath)
}

// distributedOnly are the fields of a Map state that need distributed mode.
var distributedOnly = []string{"Label", "ItemReader", "ItemBatcher", "ResultWriter", "ToleratedFailureCount",
	"ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"}

func (c *checker) mapState(n *node, s *StateDef) {
	m := &mapSpec{}
	s.spec.iterate = m
	for _, name := range distributedOnly {
		if f, ok := n.field(name); ok {
			c.problem(f, CodeNotSupported, "The field '%s' belongs to a distributed Map state, which is not supported yet", name)
		}
	}
	if f, ok := n.field("ItemsPath"); ok {
		if e, ok := c.path(f); ok {
			m.items = &e
		}
	}
	if f, ok := n.field("ItemSelector"); ok {
		m.selector = c.template(f)
		if s.spec.parameters != nil {
			c.schema(f, "A Map state must not have both 'ItemSelector' and 'Parameters'")
		}
	} else if s.spec.parameters != nil {
		m.selector = s.spec.parameters
	}
	s.spec.parameters = nil
	if f, ok := n.field("MaxConcurrency"); ok {
		m.concurrency = c.natural(f)
	}
	if f, ok := n.field("MaxConcurrencyPath"); ok {
		if e, ok := c.path(f); ok {
			m.concurrencyPath = &e
		}
	}
	c.processor(n, s)
}

// processor reads ItemProcessor or, by its old name, Iterator.
func (c *checker) processor(n *node, s *StateDef) {
	f, ok := n.field("ItemProcessor")
	old, hasOld := n.field("Iterator")
	switch {
	case ok && hasOld:
		c.schema(n, "A Map state must not have both 'ItemProcessor' and 'Iterator'")
		return
	case hasOld:
		f = old
	case !ok:
		c.schema(n, "The field 'ItemProcessor' is required but was missing")
		return
	}
	if !c.isObject(f) {
		return
	}
	c.unknown(f, []string{"Comment", "StartAt", "States", "ProcessorConfig"})
	if cfg, ok := f.field("ProcessorConfig"); ok && c.isObject(cfg) {
		c.unknown(cfg, []string{"Mode", "ExecutionType"})
		if mode, ok := cfg.field("Mode"); ok {
			switch mode.v {
			case "INLINE":
			case "DISTRIBUTED":
				c.problem(mode, CodeNotSupported, "Distributed Map states are not supported yet; use \"INLINE\"")
			default:
				c.schema(mode, "The field 'Mode' should have one of these values: [INLINE, DISTRIBUTED]")
			}
		}
	}
	s.Graphs = []*Graph{c.graph(f, s.QueryLanguage)}
}
