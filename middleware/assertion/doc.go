// Package assertion makes and verifies what a gateway says to the receiver behind it: who
// verified this delivery, when, and over which body.
//
// An assertion is a JSON Web Token of a type of its own, "hooknotary+jwt".
package assertion
