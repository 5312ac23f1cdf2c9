package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

func (c *checker) mapState(n *node, s *StateDef) {
	m := &mapSpec{}
	s.spec.iterate = m
	mode := c.processor(n, s)
	if s.QueryLanguage == JSONata {
		c.items(n, m)
		m.selectorQuery = c.queryField(n, "ItemSelector")
	} else {
		c.itemsByPath(n, s)
	}
	if f, ok := n.field("MaxConcurrency"); ok {
		if m.concurrencyQuery, ok = c.queryOf(f, s.QueryLanguage); !ok {
			m.concurrency = c.natural(f)
		}
	}
	if f, ok := n.field("MaxConcurrencyPath"); ok && s.QueryLanguage != JSONata {
		c.onlyOne(n, "MaxConcurrency", "MaxConcurrencyPath")
		if e, ok := c.path(f); ok {
			m.concurrencyPath = &e
		}
	}
	m.toleratedCount = c.amount(n, "ToleratedFailureCount", s.QueryLanguage, 0, maxSeconds)
	m.toleratedPercentage = c.amount(n, "ToleratedFailurePercentage", s.QueryLanguage, 0, 100)
	c.mapRun(n, s, mode)
}

// items reads Items: an array or an expression that gives one.
func (c *checker) items(n *node, m *mapSpec) {
	f, ok := n.field("Items")
	if !ok {
		return
	}
	if _, isArray := f.v.(value.Array); !isArray {
		if s, isText := f.v.(string); !isText || !isQuery(s) {
			c.schema(f, "The field 'Items' must be an array or a JSONata expression, but it is of type %s", value.Kind(f.v))
			return
		}
	}
	m.list = c.queryTemplate(f)
}

// itemsByPath reads ItemsPath and ItemSelector, which was once Parameters.
func (c *checker) itemsByPath(n *node, s *StateDef) {
	m := s.spec.iterate
	if f, ok := n.field("ItemsPath"); ok {
		if e, ok := c.referencePath(f); ok {
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
}

// processor reads ItemProcessor or, by its old name, Iterator, and tells what
// distributed mode it asks for.
func (c *checker) processor(n *node, s *StateDef) processorMode {
	mode := processorMode{unset: true}
	if !c.exactlyOne(n, "ItemProcessor", "Iterator") {
		return mode
	}
	f, ok := n.field("ItemProcessor")
	if !ok {
		f, _ = n.field("Iterator")
	}
	if !c.isObject(f) {
		return mode
	}
	c.unknown(f, []string{"Comment", "StartAt", "States", "ProcessorConfig"})
	cfg, ok := f.field("ProcessorConfig")
	if ok && c.isObject(cfg) {
		mode = c.processorConfig(cfg)
	}
	if mode.unset {
		mode.guess(c, n)
	}
	first := len(c.scopes)
	s.Graphs = []*Graph{c.graph(f)}
	if mode.distributed && first < len(c.scopes) {
		c.scopes[first].apart = true
	}
	return mode
}

// processorMode is what ProcessorConfig says.
type processorMode struct {
	distributed, express bool
	// unset tells that there is no Mode.
	unset bool
}

func (c *checker) processorConfig(n *node) processorMode {
	c.unknown(n, []string{"Mode", "ExecutionType"})
	m := processorMode{unset: true}
	if f, ok := n.field("Mode"); ok {
		m.unset = false
		m.distributed = c.oneOf(f, "INLINE", "DISTRIBUTED") == "DISTRIBUTED"
		if m.distributed && c.express {
			c.schema(f, "The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines")
		}
	}
	f, ok := n.field("ExecutionType")
	switch {
	case m.distributed && !ok:
		c.required(n, "ExecutionType")
	case ok && !m.distributed:
		c.schema(f, "Field 'ExecutionType' is not supported").around(f).hint("it needs \"Mode\": \"DISTRIBUTED\"")
	case ok:
		m.express = c.oneOf(f, "STANDARD", "EXPRESS") == "EXPRESS"
	}
	return m
}

// guess takes a Map state without a Mode for a distributed one when it has
// fields that no other has, and warns of that.
func (m *processorMode) guess(c *checker, n *node) {
	for _, name := range distributedOnly {
		f, ok := n.field(name)
		if !ok || strings.HasPrefix(name, "Tolerated") {
			continue
		}
		m.distributed = true
		c.warn(f, CodeSchema, "Field '%s' is not supported", name).around(f).
			hint("it needs \"Mode\": \"DISTRIBUTED\" in ProcessorConfig, which is assumed here")
	}
}

// mapRun reads what only a distributed Map state has.
func (c *checker) mapRun(n *node, s *StateDef, mode processorMode) {
	if !mode.distributed {
		for _, name := range distributedOnly {
			// AWS takes ToleratedFailure… in an inline Map state as well.
			if f, ok := n.field(name); ok && !strings.HasPrefix(name, "Tolerated") {
				c.schema(f, "Field '%s' is not supported", name).around(f).
					hint("it needs \"Mode\": \"DISTRIBUTED\" in ProcessorConfig")
			}
		}
		return
	}
	r := &mapRunSpec{express: mode.express}
	s.spec.iterate.run = r
	if f, ok := n.field("Label"); ok {
		r.label = c.label(f)
	}
	if f, ok := n.field("ItemReader"); ok && c.isObject(f) {
		r.reader = c.reader(f, s.QueryLanguage)
	}
	if f, ok := n.field("ItemBatcher"); ok && c.isObject(f) {
		r.batcher = c.batcher(f, s.QueryLanguage)
	}
	if f, ok := n.field("ResultWriter"); ok && c.isObject(f) {
		r.writer = c.writer(f, s.QueryLanguage)
	}
}
