package asl

import (
	"strings"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

func (c *checker) task(n *node, s *StateDef) {
	t := &taskSpec{
		timeout:   c.seconds(n, "TimeoutSeconds", s.QueryLanguage),
		heartbeat: c.seconds(n, "HeartbeatSeconds", s.QueryLanguage),
	}
	s.spec.task = t
	if f, ok := n.field("Credentials"); ok && c.isObject(f) {
		c.credentials(f, s)
	}
	if h, out := t.heartbeat.seconds, t.timeout.seconds; h > 0 && out > 0 && h >= out {
		c.schema(n, "The field 'HeartbeatSeconds' (%d) must be smaller than 'TimeoutSeconds' (%d)", h, out)
	}
	f, ok := n.field("Resource")
	if !c.required(n, "Resource") || !ok {
		return
	}
	if c.placeholder(f) {
		return
	}
	arn, ok := c.text(f)
	if !ok {
		return
	}
	s.Resource, ok = ParseResource(arn)
	if !isResource(arn, ok) {
		c.schema(f, "Value is not a valid resource ARN")
	}
	c.expressResource(f, s.Resource)
	if f, ok := n.field("Credentials"); ok && s.Resource.IsActivity() {
		c.schema(f, "The field 'Credentials' is not supported for activities")
	}
}

// placeholder tells whether a value is a function of CloudFormation, such as
// {"Ref": "Name"}: a template's definition may be looked at before it is filled
// in. It warns of it.
func (c *checker) placeholder(n *node) bool {
	fields := n.fields()
	if len(fields) != 1 || fields[0].key != "Ref" && !strings.HasPrefix(fields[0].key, "Fn::") {
		return false
	}
	c.warn(n, CodeSchema, "Expected value of type String").
		hint("the function '%s' of a template must be filled in before the state machine runs", fields[0].key)
	return true
}

// expressResource complains of what an Express execution cannot wait for.
func (c *checker) expressResource(n *node, r Resource) {
	switch {
	case !c.express:
	case r.IsActivity():
		c.schema(n, "Express state machine does not support Activity ARN")
	case r.Integration == Sync:
		c.schema(n, "Express state machine does not support '.sync' service integration")
	case r.Integration == WaitForTaskToken:
		// The blank at the end is AWS's.
		c.schema(n, "Express state machine does not support '.waitForTaskToken' service integration ")
	}
}

func (c *checker) credentials(n *node, s *StateDef) {
	role, fixed := n.field("RoleArn")
	if fixed {
		c.text(role)
	}
	_, dynamic := n.field("RoleArn" + pathSuffix)
	if !fixed && (!dynamic || s.QueryLanguage == JSONata) {
		severity := SeverityError
		if len(n.fields()) > 0 {
			// The language leaves open what credentials are; AWS's need a role.
			severity = SeverityWarning
		}
		c.report(n, severity, CodeSchema, "The field 'RoleArn' is required but was missing")
	}
	if s.QueryLanguage == JSONata {
		s.spec.task.credentialsQuery = c.queryTemplate(n)
	} else {
		s.spec.task.credentials = c.template(n)
	}
}

// seconds reads a field that is a number of seconds, a path under Name+"Path",
// or an expression.
func (c *checker) seconds(n *node, name string, lang QueryLanguage) secondsField {
	s := secondsField{name: name}
	f, fixed := n.field(name)
	p, dynamic := n.field(name + "Path")
	if lang == JSONata {
		dynamic = false // its language has been refused
	}
	if lang == JSONPath {
		c.onlyOne(n, name, name+"Path")
	}
	if fixed {
		var ok bool
		if s.query, ok = c.queryOf(f, lang); !ok {
			s.seconds = c.positive(f)
		}
	}
	if dynamic {
		if e, ok := c.path(p); ok {
			s.path = &e
		}
	}
	return s
}

// queryOf is asQuery in a JSONata state; in others there is no expression.
func (c *checker) queryOf(n *node, lang QueryLanguage) (*query, bool) {
	if lang != JSONata {
		return nil, false
	}
	return c.asQuery(n)
}

// waitFields are the fields of which a Wait state has one, by language.
var waitFields = map[QueryLanguage][]string{
	JSONPath: {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
	JSONata:  {"Seconds", "Timestamp"},
}

func (c *checker) wait(n *node, s *StateDef) {
	w := &waitSpec{}
	s.spec.wait = w
	c.exactlyOne(n, "SecondsPath", "Seconds", "TimestampPath", "Timestamp")
	for _, name := range waitFields[s.QueryLanguage] {
		f, ok := n.field(name)
		if !ok {
			continue
		}
		w.isTime = name == "Timestamp" || name == "TimestampPath"
		if w.query, ok = c.queryOf(f, s.QueryLanguage); ok {
			continue
		}
		switch name {
		case "Seconds":
			c.natural(f)
			if num, ok := f.v.(value.Number); ok {
				w.seconds = &num
			}
		case "Timestamp":
			w.timestamp = c.timestamp(f)
		default:
			if e, ok := c.path(f); ok {
				w.path = &e
			}
		}
	}
}

func (c *checker) timestamp(n *node) string {
	s, ok := c.text(n)
	if ok {
		if _, ok := parseTimestamp(s); !ok {
			c.schema(n, "String does not match RFC3339 timestamp").hint("write it as 2016-03-14T01:59:00Z")
		}
	}
	return s
}

// parseTimestamp reads RFC 3339 as AWS does: "T" is needed, and a zone.
func parseTimestamp(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}

func (c *checker) failState(n *node, s *StateDef) {
	f := &failSpec{}
	s.spec.fail = f
	read := func(name string, fixed **string, dynamic **expr, q **query) {
		plain, ok := n.field(name)
		if ok {
			if *q, _ = c.queryOf(plain, s.QueryLanguage); *q == nil {
				if v, ok := c.text(plain); ok {
					*fixed = &v
					c.noPath(plain, v)
				}
			}
		}
		p, both := n.field(name + "Path")
		if !both || s.QueryLanguage == JSONata {
			return
		}
		*dynamic = c.pathOrCall(p)
		c.onlyOne(n, name, name+"Path")
	}
	read("Error", &f.err, &f.errPath, &f.errQuery)
	read("Cause", &f.cause, &f.causePath, &f.causeQuery)
}
