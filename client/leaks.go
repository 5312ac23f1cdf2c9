package client

import (
	"context"
	"net/http"
	"time"
)

// Leak is a resource on the platform that outlived its instance.
type Leak struct {
	ID        string    `json:"id"`
	Platform  string    `json:"platform"`
	Kind      string    `json:"kind" doc:"container, network or volume"`
	Resource  string    `json:"resource" doc:"Its ID on the platform"`
	Name      string    `json:"name" doc:"Its name on the platform"`
	Instance  string    `json:"instance" doc:"ID of an instance, by its label"`
	HostName  string    `json:"host_name"`
	App       string    `json:"app"`
	Owner     string    `json:"owner"`
	Made      bool      `json:"made" doc:"The portal knows the instance and made it; else it only reports it"`
	CreatedAt time.Time `json:"created_at,omitzero" doc:"When it was made, where the platform tells"`
	Since     time.Time `json:"since" doc:"When its instance ended; else when it was made or found"`
	Cost      float64   `json:"cost" doc:"Since then, in the portal's currency, as if its whole instance still ran; 0 where the portal does not know it"`
	FoundAt   time.Time `json:"found_at"`
	SeenAt    time.Time `json:"seen_at"`
	RemoveAt  time.Time `json:"remove_at,omitzero" doc:"From when on the portal removes it by itself; absent: it does not"`
	Tries     int       `json:"tries,omitempty" doc:"Removals that did not help"`
	Problem   string    `json:"problem,omitempty" doc:"Why the last one did not"`
	GoneAt    time.Time `json:"gone_at,omitzero" doc:"Absent: it is there"`
	GoneBy    string    `json:"gone_by,omitempty" doc:"Who had it removed: portal, or a person; absent: somebody outside the portal"`
	Advice    string    `json:"advice,omitempty" doc:"What becomes of it, or what to do"`
}

// Leaks returns a page of leaks, newest first: those that are there, or all.
func (c *Client) Leaks(ctx context.Context, gone bool, before string, limit int) (List[Leak], error) {
	return get[List[Leak]](ctx, c, "/leaks", query(map[string]any{"gone": gone, "before": before, "limit": limit}))
}

// Leak returns one.
func (c *Client) Leak(ctx context.Context, id string) (Leak, error) {
	return get[Leak](ctx, c, "/leaks/"+seg(id), nil)
}

// RemoveLeak removes what leaked at once.
func (c *Client) RemoveLeak(ctx context.Context, id string) (Leak, error) {
	return send[Leak](ctx, c, http.MethodPost, "/leaks/"+seg(id)+"/remove", nil)
}
