package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/internal-app-portal/iap/client"
)

type showCmd struct {
	Instance string `arg:"" help:"Host name, ID, or a unique part of the host name." complete:"instance"`
}

func (c *showCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	i, err := cl.Instance(r.ctx, c.Instance)
	if err != nil {
		return err
	}
	if r.json() {
		return r.writeJSON(i)
	}
	p, err := cl.Progress(r.ctx, i.ID)
	if err != nil {
		return err
	}
	r.facts(instanceFacts(r, i))
	r.print("")
	t := &table{head: []string{"STEP", "STATE", "TOOK", "NOTE"}}
	d := display{r: r}
	for _, s := range p.Steps {
		word, note := stepWord(s), s.Note
		if word == note {
			note = ""
		}
		t.add(s.Title, word, d.took(s), note)
	}
	t.write(r.out, r.width, nil)
	return nil
}

func instanceFacts(r *run, i client.Instance) [][2]string {
	facts := [][2]string{
		{"name", i.HostName}, {"id", i.ID}, {"app", fmt.Sprintf("%s, version %d", i.App, i.Version)},
		{"owner", i.Owner}, {"status", statusWords(i.Status)}, {"url", i.URL}, {"waits for", i.Waiting},
		{"reason", i.Reason}, {"created", clock(i.CreatedAt, r.now())}, {"ready", clock(i.ReadyAt, r.now())},
	}
	if i.Ended() {
		facts = append(facts, [2]string{"ended", clock(i.EndedAt, r.now())},
			[2]string{"ended by", i.EndedBy}, [2]string{"because", i.EndReason})
	} else {
		facts = append(facts, [2]string{"ends", endText(i, r.now())}, [2]string{"kept until", keptText(i, r.now())}, [2]string{"idle limit", i.IdleLimit})
	}
	facts = append(facts, [2]string{"last used", useText(i, r.now())})
	for _, name := range slices.Sorted(maps.Keys(i.Values)) {
		facts = append(facts, [2]string{"parameter " + name, fmt.Sprint(i.Values[name])})
	}
	if i.Receipt != nil {
		facts = append(facts, [2]string{"receipt", fmt.Sprintf("%d left", len(i.Receipt.Left))})
		for _, x := range i.Receipt.Left {
			facts = append(facts, [2]string{"left", x.Kind + " " + x.Name})
		}
	}
	return facts
}

// facts writes names and values that are not empty, one a line.
func (r *run) facts(facts [][2]string) {
	width := 0
	for _, f := range facts {
		if f[1] != "" {
			width = max(width, cellWidth(f[0]))
		}
	}
	for _, f := range facts {
		if f[1] == "" {
			continue
		}
		name := fmt.Sprintf("%-*s", width, printable(f[0]))
		r.print("%s%s%s", paint(r.color, styleDim, name), gap, printable(f[1]))
	}
}
