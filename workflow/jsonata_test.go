package workflow_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/workflow"
)

const inJSONata = `{"QueryLanguage":"JSONata","StartAt":"Price","States":{
 "Price":{"Type":"Task","Resource":"arn:iap:states:::test:price","Arguments":{"skus":"{% $states.input.lines.sku %}"},
  "Assign":{"total":"{% $sum($states.result.prices) %}","who":"{% $states.context.Execution.Input.who %}"},
  "Output":"{% $states.input %}","Next":"Large?"},
 "Large?":{"Type":"Choice","Choices":[{"Condition":"{% $total > 10 %}","Next":"Each"}],"Default":"Small"},
 "Small":{"Type":"Fail","Error":"Small","Cause":"{% 'only ' & $total %}"},
 "Each":{"Type":"Map","Items":"{% $states.input.lines %}","ItemSelector":{"n":"{% $states.context.Map.Item.Index + 1 %}","line":"{% $states.context.Map.Item.Value %}"},
  "ItemProcessor":{"StartAt":"Name","States":{"Name":{"Type":"Pass","Output":"{% $states.input.n & ':' & $uppercase($states.input.line.sku) & ' for ' & $who %}","End":true}}},
  "Output":{"total":"{% $total %}","names":"{% $states.result %}"},"End":true}}}`

// TestJSONata runs a state machine in that language, expressions in the engine
// and in Go, variables and a task included.
func TestJSONata(t *testing.T) {
	pool := jsonata.NewPool(jsonata.Config{Machines: 1})
	t.Cleanup(pool.Close)
	price := func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
		var a struct{ SKUs []string }
		if err := json.Unmarshal(c.Arguments, &a); err != nil {
			return nil, err
		}
		prices := make([]int, len(a.SKUs))
		for i, sku := range a.SKUs {
			prices[i] = len(sku) * 3
		}
		return json.Marshal(map[string][]int{"prices": prices})
	}
	f := newFixture(t, newDB(t), "one", map[string]workflow.Handler{"test:price": {Run: price}})
	f.JSONata = pool
	x := f.wait(t, f.start(t, inJSONata, `{"who":"Ada","lines":[{"sku":"ab"},{"sku":"cde"}]}`))
	if want := `{"total":15,"names":["1:AB for Ada","2:CDE for Ada"]}`; x.Status != workflow.Succeeded || string(x.Output) != want {
		t.Errorf("got %s %s %s %s, want %s", x.Status, x.Output, x.Error, x.Cause, want)
	}
	x = f.wait(t, f.start(t, inJSONata, `{"who":"Ada","lines":[{"sku":"a"},{"sku":"b"}]}`))
	if x.Status != workflow.Failed || x.Error != "Small" || x.Cause != "only 6" {
		t.Errorf("got %s %s %s", x.Status, x.Error, x.Cause)
	}
}
