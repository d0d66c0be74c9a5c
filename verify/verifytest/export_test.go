package verifytest

import "time"

// SetPatience shortens the tests of handlers that do not answer.
func SetPatience(s *Signer, d time.Duration) { s.patience = d }
