package value

// Measure tells whether a value is nested more than depth levels deep, and
// whether its text has surely more than size bytes. It stops as soon as one of
// both is so: values may share parts, so that a small value has a huge text.
func Measure(v Value, depth, size int) (deep, large bool) {
	m := measure{left: size}
	m.value(v, depth)
	return m.deep, m.left < 0
}

type measure struct {
	left int
	deep bool
}

func (m *measure) value(v Value, depth int) {
	switch v := v.(type) {
	case nil, bool:
		m.left -= 4
	case Number:
		m.left -= len(v)
	case string:
		m.text(v)
	case Array:
		m.left--
		m.deep = m.deep || depth == 0
		for _, x := range v {
			if m.deep || m.left < 0 {
				return
			}
			m.value(x, depth-1)
			m.left--
		}
	case *Object:
		m.left--
		m.deep = m.deep || depth == 0
		for _, x := range v.Members() {
			if m.deep || m.left < 0 {
				return
			}
			m.text(x.Key)
			m.left -= 2
			m.value(x.Value, depth-1)
		}
	}
}

// text counts a string without what its escapes add.
func (m *measure) text(s string) { m.left -= len(s) + 2 }
