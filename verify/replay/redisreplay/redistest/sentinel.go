package redistest

import (
	"fmt"
	"strings"
	"testing"
)

// NewSentinel starts a Sentinel as StartSentinel does and closes it at the end of
// the test. Without a server binary it does what NewServer does.
func NewSentinel(t testing.TB, name string, master *Server) *Server {
	t.Helper()
	s, err := StartSentinel(name, master)
	check(t, err)
	t.Cleanup(s.Close)
	return s
}

// StartSentinel starts a Sentinel that watches a master, under a name, and its
// replicas. It is alone, so it decides alone: when the master has not answered for
// half a second, a replica takes its place. The caller must call Close.
func StartSentinel(name string, master *Server) (*Server, error) {
	config := []string{
		fmt.Sprintf("sentinel monitor %s %s 1", name, strings.Replace(master.Addr(), ":", " ", 1)),
		fmt.Sprintf("sentinel down-after-milliseconds %s 500", name),
		fmt.Sprintf("sentinel failover-timeout %s 5000", name),
	}
	if master.password != "" {
		config = append(config, fmt.Sprintf("sentinel auth-pass %s %s", name, master.password))
	}
	return start(asSentinel, config)
}
