package scheme

// PartKind says what a Part is.
type PartKind uint8

// The kinds of a Part, each made by the function in parentheses.
const (
	LiteralPart    PartKind = iota + 1 // constant text (Literal)
	TimePart                           // the signed time
	FieldPart                          // the value of a header (Field)
	URLPart                            // the URL of the endpoint (URL)
	BodyPart                           // the body (Body)
	MethodPart                         // the method (Method)
	BodySHA256Part                     // the hash of the body (BodySHA256)
	SecretPart                         // the secret (SecretText)

	lastPart = iota
)

// Kind returns what p is, or zero for the zero Part. Kind and Text are for tools that
// read a Definition, such as a signer.
func (p Part) Kind() PartKind { return p.kind }

// Text returns the text of a Literal, the canonical name of a Field's header, and
// nothing for any other Part.
func (p Part) Text() string { return p.text }

// Size returns how many bytes the value of a FixedField or a UUIDField has, and zero for
// any other Part.
func (p Part) Size() int { return p.size }

// UUID reports whether the value of p may be a UUID: p is a UUIDField or a UUIDOrHashField.
func (p Part) UUID() bool { return p.uuid }

// Hash reports whether p is a UUIDOrHashField.
func (p Part) Hash() bool { return p.hash }
