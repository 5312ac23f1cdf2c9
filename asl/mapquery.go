package asl

import "github.com/internal-app-portal/iap/asl/value"

// queryCount evaluates an expression that gives an integer from 0 on.
func (x *exec) queryCount(a amount) (int64, *failure) {
	v, f := x.queryAmount(a)
	if f != nil {
		return 0, f
	}
	n, ok := v.(value.Number)
	i, whole := n.Int64()
	if !ok || !whole || i < 0 {
		return 0, x.notANumber(a)
	}
	return i, nil
}

// queryAmount evaluates the expression of an amount.
func (x *exec) queryAmount(a amount) (value.Value, *failure) {
	return x.fillQuery(&queryTemplate{query: a.query})
}

// notANumber is the failure of an expression that gives no number.
func (x *exec) notANumber(a amount) *failure {
	return x.broken(errQueryEvaluation, "The JSONata expression '"+a.query.text+"' specified for the field '"+a.name+
		"' returned an unexpected result type. Expected 'number'.")
}

const errQueryEvaluation = "States.QueryEvaluationError"

// fillQuery evaluates a template of JSONata.
func (x *exec) fillQuery(t *queryTemplate) (value.Value, *failure) {
	if t.constant {
		return t.lit, nil
	}
	return nil, x.broken(errQueryEvaluation, "JSONata is not available here.")
}
