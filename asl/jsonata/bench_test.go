package jsonata

import "testing"

// BenchmarkFirst measures the first evaluation of a process that plain Go cannot
// do: compiling the evaluator, making a machine of it, evaluating.
func BenchmarkFirst(b *testing.B) {
	e, in := compile(b, "$reduce([1,0], function($a, $b) { $a * 1 + $b })"), input(b, "{}")
	for b.Loop() {
		pool := NewPool(Config{})
		if _, err := pool.Eval(e, in); err != nil {
			b.Fatal(err)
		}
		pool.Close()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
}
