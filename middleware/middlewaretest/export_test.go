package middlewaretest

import "time"

// SetPatience says how long tests wait for what must come.
func SetPatience(d time.Duration) { patience = d }
