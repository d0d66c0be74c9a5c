package diagnose

import (
	"iter"

	"github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"
)

// For tests: what bounds a diagnosis, and what it finds inside of a body.

const (
	MaxWork     = int64(maxWork)
	MaxTries    = maxTries
	MaxFindings = maxFindings
)

// Unwrapped yields what is found inside of a body.
func Unwrapped(body []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		d, _, ok := jsonform.Scan(body)
		for v := range unwrapped(&d, ok, new(bool)) {
			if !yield(v.body) {
				return
			}
		}
	}
}
