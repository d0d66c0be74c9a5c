package gateway

import (
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/middleware"
)

// Around makes a gateway whose only route has a guard that somebody else made.
func Around(guard *middleware.Guard, c *config.Config, o Options) (*Gateway, error) {
	rc := &c.Routes[0]
	routes := c.Routes
	c.Routes = nil
	g, err := New(c, o)
	if err != nil {
		return nil, err
	}
	r, err := g.guarded(c, rc, guard)
	if err != nil {
		return nil, err
	}
	c.Routes = routes
	next := &generation{config: c, routes: map[string]*route{rc.Name: r}}
	if err := next.router.add(rc.Path, r); err != nil {
		return nil, err
	}
	g.serving.Store(next)
	return g, nil
}
