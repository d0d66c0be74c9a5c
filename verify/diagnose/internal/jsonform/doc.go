// Package jsonform finds what an encoder may have done to a JSON document: the forms in
// which it may have been written before something parsed it and serialised it again.
package jsonform

// Trace is something that an encoder did to a document.
type Trace uint8

// The traces. The zero Trace is none.
const (
	Compacted     Trace = iota + 1 // white space was taken out
	Indented                       // white space was put in, or another one
	KeyOrder                       // members stand in another order
	HTMLEscape                     // <, > and & are escaped, or not
	UnicodeEscape                  // \u escapes were added, undone, or written in another case
	SlashEscape                    // / is escaped, or not
	Numbers                        // numbers have another form
	NewlineAdded                   // at the end
	NewlineCut                     // at the end
	Reserialised                   // several of the former, or what has no other name
)

// Variant is a document in a form in which it may have been signed, and what must have
// happened to it since.
type Variant struct {
	Text   []byte
	Traces []Trace
}
