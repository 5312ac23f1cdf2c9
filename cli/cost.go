package cli

import (
	"encoding/json"
	"fmt"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

type costCmd struct {
	Month string `help:"Month, such as 2026-11; default: the present one." placeholder:"YYYY-MM"`
}

func (c *costCmd) Run(r *run) error {
	cl, err := r.client()
	if err != nil {
		return err
	}
	cost, err := cl.Cost(r.ctx, c.Month)
	switch {
	case err != nil:
		return err
	case r.json():
		return r.writeJSON(cost)
	case r.flags.Output == outputCSV:
		return r.writeCostCSV(cost)
	}
	t := &table{head: []string{"PERSON", "APP", "INSTANCES", "HOURS", "COST " + cost.Currency, "KWH", "SAVED " + cost.Currency, "SAVED KWH"}}
	for _, row := range cost.Rows {
		t.add(costCells(row.Owner, row)...)
	}
	t.add(costCells("total", cost.Total)...)
	t.write(r.out, r.width, nil)
	return nil
}

func costCells(who string, row client.CostRow) []string {
	saved := row.Sweep.Cost + row.Idle.Cost + row.Limit.Cost
	kwh := row.Sweep.KWh + row.Idle.KWh + row.Limit.KWh
	return []string{who, row.App, fmt.Sprint(row.Instances), fmt.Sprintf("%.1f", row.Ran.Hours), fmt.Sprintf("%.2f", row.Ran.Cost),
		fmt.Sprintf("%.2f", row.Ran.KWh), fmt.Sprintf("%.2f", saved), fmt.Sprintf("%.2f", kwh)}
}

// writeCostCSV writes the rows as the portal's page gives them as a file.
func (r *run) writeCostCSV(cost client.Cost) error {
	data, err := json.Marshal(cost) // which has the form of the ledger
	if err != nil {
		return err
	}
	var l instance.Ledger
	if err := json.Unmarshal(data, &l); err != nil {
		return err
	}
	return l.WriteCSV(r.out)
}
