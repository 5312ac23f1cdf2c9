package asl

// MapLabel is the label of the distributed Map state whose children run a graph,
// "" when there is none.
func (m *Machine) MapLabel(graph int) string {
	for _, g := range m.Graphs {
		for _, s := range g.States {
			if s.Type != TypeMap || s.spec.iterate.run == nil || s.Graphs[0].Number != graph {
				continue
			}
			return or(s.spec.iterate.run.label, labelOf(s.Name))
		}
	}
	return ""
}
