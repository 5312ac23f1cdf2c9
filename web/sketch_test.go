package web_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

func TestAStateMachineIsListedWithItsGraph(t *testing.T) {
	p := startFlows(t)
	for name, text := range map[string]string{
		"types":  `{"StartAt":"A","States":{"A":{"Type":"\"><script>alert(1)</script>","Next":"<b>"},"<b>":{"Type":"Fail"}}}`,
		"long":   `{"StartAt":"S0","States":{` + chain(300) + `}}`,
		"broken": `{"StartAt":`,
	} {
		// As they may stand in a database: nobody can save the two that are not valid.
		p.flows.mu.Lock()
		p.flows.machines[name] = web.Machine{Machine: workflow.Machine{Name: name, Type: workflow.Standard}, Text: []byte(text)}
		p.flows.mu.Unlock()
	}
	rows := map[string]string{}
	for _, row := range strings.Split(p.get("/machines"), "<tr>")[1:] {
		_, name, _ := strings.Cut(row, `href="/machines/`)
		name, _, _ = strings.Cut(name, `"`)
		rows[name] = row
	}
	for name, want := range map[string]string{"order": `class="type-parallel"`, "types": `aria-label="2 states"`, "long": `class="more"`, "nightly-sweep": `class="type-map"`} {
		if !strings.Contains(rows[name], want) {
			t.Errorf("the row of %s has no %s: %s", name, want, rows[name])
		}
	}
	if strings.Contains(rows["types"], "<script>") {
		t.Errorf("a type is written as it is: %s", rows["types"])
	}
	if strings.Contains(rows["broken"], "<svg class=\"sketch\"") || !strings.Contains(rows["broken"], "broken") {
		t.Errorf("the row of what is not JSON: %s", rows["broken"])
	}
	if n := len(rows["long"]); n > 3000 {
		t.Errorf("the row of a long one has %d bytes", n)
	}
}

// chain writes n states, each leading to the next.
func chain(n int) string {
	var b strings.Builder
	for i := range n - 1 {
		b.WriteString(`"S` + strconv.Itoa(i) + `":{"Type":"Pass","Next":"S` + strconv.Itoa(i+1) + `"},`)
	}
	return b.String() + `"S` + strconv.Itoa(n-1) + `":{"Type":"Succeed"}`
}
