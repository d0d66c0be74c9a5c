package sns

// Unlimited lets a verifier fetch as many certificates as it is asked for, for tests that
// name many and are about something else.
func Unlimited(v *Verifier) *Verifier {
	v.certs.Unlimited()
	return v
}
