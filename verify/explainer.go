package verify

// Explainer is a Verifier that knows mistakes which only the users of its provider make:
// another environment, another product, a certificate. A diagnosis asks it, beside what it
// finds for every scheme. Nothing on the serving path calls it.
//
// An error of a constructor may explain itself in the same way: with a method
// Hypothesis() Hypothesis.
type Explainer interface {
	Verifier

	// Explain says what may be wrong, the likeliest first. It opens no connection, and
	// it changes nothing of r. None: it knows nothing beyond what r says.
	Explain(r *Refusal) []Hypothesis
}

// Refusal is a delivery that a verifier refuses, with what is known about it.
type Refusal struct {
	Head *Head
	Body []byte

	// Err is what the verifier said. Where it found the signed time out of its window,
	// this is what it says to the same delivery within the window.
	Err error

	// Holds: the signature is over this body and under a key of this verifier. Err is
	// then another reason to refuse the delivery.
	Holds bool

	// Candidate names another secret of the account under which the signature holds.
	// Empty: none does.
	Candidate string

	// Other is another verifier for the same provider that accepts the delivery. Nil:
	// none is known.
	Other Verifier
}

// Hypothesis is what may be wrong with a delivery. It holds no secret, no expected
// signature and nothing of the body.
type Hypothesis struct {
	ID   string // stable; one of the diagnosis, or "provider.what"
	Text string // what is wrong, one sentence
	Fix  string // what to do about it, one sentence; empty: what a diagnosis says for ID

	// Cause ends the text: "The certificate is not trusted: " and why.
	Cause error

	// Verifier accepts the delivery if the hypothesis is right, and only then. Nil: no
	// verifier can tell.
	Verifier Verifier
}
