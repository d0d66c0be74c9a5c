package sqlreplay

// Batch is how many rows Purge deletes at once.
const Batch = batch

// Claims returns the statements of Claim, with the number of their parameters.
func (s *Store) Claims() map[string]int {
	return map[string]int{s.sql.claim: 7, s.sql.claimKnown: 6, s.sql.bind: 3}
}

// Settles returns the statements that settle an event.
func (s *Store) Settles() map[string]int {
	return map[string]int{s.sql.renew: 3, s.sql.commit: 2, s.sql.committed: 2, s.sql.release: 2, s.sql.forget: 1, s.sql.held: 1, s.sql.inspect: 1}
}

// Purges returns the statements of Purge, each with one parameter.
func (s *Store) Purges() []string { return []string{s.sql.purgeEvents, s.sql.purgeBindings} }

// Advice returns what to do about an error of a driver, or "".
func (s *Store) Advice(err error) string { return s.advice(err) }
