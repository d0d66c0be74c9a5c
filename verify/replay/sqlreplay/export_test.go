package sqlreplay

// Advice returns what to do about an error of a driver, or "".
func (s *Store) Advice(err error) string { return s.advice(err) }
