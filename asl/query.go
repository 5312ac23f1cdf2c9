package asl

import (
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
)

// query is a JSONata expression.
type query struct {
	// text is what stands between {% and %}, without the blanks around it.
	text string
	// field is where the expression stands, as causes name it: "Output/result",
	// "Arguments/a[0]" or "Choices[1]/Condition".
	field string
	// expr is the text compiled; nil when the definition has problems.
	expr *jsonata.Expr
}

// queryTemplate is JSON in which a text in {% %} is an expression.
type queryTemplate struct {
	constant bool
	lit      value.Value
	members  []queryMember
	items    []*queryTemplate
	query    *query
}

// queryMember is a member of an object, in the order of the definition.
type queryMember struct {
	key   string
	inner *queryTemplate
}
