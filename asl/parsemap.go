package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

func (c *checker) mapState(n *node, s *StateDef) {
	m := &mapSpec{}
	s.spec.iterate = m
	distributed := c.processor(n, s)
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
		if _, both := n.field("MaxConcurrency"); both {
			c.schema(n, "A state must not have both 'MaxConcurrency' and 'MaxConcurrencyPath'")
		}
		if e, ok := c.path(f); ok {
			m.concurrencyPath = &e
		}
	}
	m.toleratedCount = c.amount(n, "ToleratedFailureCount", s.QueryLanguage, 0, maxSeconds)
	m.toleratedPercentage = c.amount(n, "ToleratedFailurePercentage", s.QueryLanguage, 0, 100)
	c.mapRun(n, s, distributed)
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
}

// processor reads ItemProcessor or, by its old name, Iterator, and gives its
// ProcessorConfig when that asks for distributed mode.
func (c *checker) processor(n *node, s *StateDef) *node {
	f, ok := n.field("ItemProcessor")
	old, hasOld := n.field("Iterator")
	switch {
	case ok && hasOld:
		c.schema(n, "A Map state must not have both 'ItemProcessor' and 'Iterator'")
		return nil
	case hasOld:
		f = old
	case !ok:
		c.required(n, "ItemProcessor")
		return nil
	}
	if !c.isObject(f) {
		return nil
	}
	c.unknown(f, []string{"Comment", "StartAt", "States", "ProcessorConfig"})
	s.Graphs = []*Graph{c.graph(f)}
	cfg, ok := f.field("ProcessorConfig")
	if !ok || !c.isObject(cfg) {
		return nil
	}
	c.unknown(cfg, []string{"Mode", "ExecutionType"})
	mode, hasMode := cfg.field("Mode")
	typ, hasType := cfg.field("ExecutionType")
	distributed := hasMode && c.oneOf(mode, "INLINE", "DISTRIBUTED") == "DISTRIBUTED"
	if hasType {
		c.oneOf(typ, "STANDARD", "EXPRESS")
		if !distributed {
			c.schema(typ, "The field 'ExecutionType' is only supported when 'Mode' is 'DISTRIBUTED'")
		}
	}
	if !distributed {
		return nil
	}
	if !hasType {
		c.required(cfg, "ExecutionType")
	}
	return cfg
}

// mapRun reads what only a distributed Map state has; config is nil for others.
func (c *checker) mapRun(n *node, s *StateDef, config *node) {
	if config == nil {
		for _, name := range distributedOnly {
			// AWS takes ToleratedFailure… in an inline Map state as well.
			if f, ok := n.field(name); ok && !strings.HasPrefix(name, "Tolerated") {
				c.schema(f, "The field '%s' is only supported when 'Mode' of the 'ProcessorConfig' is 'DISTRIBUTED'", name)
			}
		}
		return
	}
	if c.express {
		c.schema(n, "Express state machine does not support Map state in 'DISTRIBUTED' mode")
	}
	r := &mapRunSpec{}
	s.spec.iterate.run = r
	if f, ok := config.field("ExecutionType"); ok {
		r.express = f.v == "EXPRESS"
	}
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
