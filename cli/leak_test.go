package cli

import (
	"encoding/json"
	"testing"
)

func TestALookForLeaksIsReadByPeople(t *testing.T) {
	got, found := checkText(json.RawMessage(`{"looked":5,"leaks":2,"found":1,"removed":1,"gone":0}`))
	if want := "looked at 5; left behind 2, of which new 1; removed 1, gone by themselves 0"; !found || got != want {
		t.Errorf("got %q", got)
	}
	for _, other := range []string{`{"looked":5}`, `[]`, `"x"`, `{"leaks":"many"}`} {
		if got, found := checkText(json.RawMessage(other)); found {
			t.Errorf("%s is read as %q", other, got)
		}
	}
}
