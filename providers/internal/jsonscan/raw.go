package jsonscan

import "bytes"

// Raw returns the value of the first member of that name in the JSON object that b holds,
// as it is written, without the white space around it. As for Member, a name with an
// escape ends the search, and nothing is validated.
func Raw(b []byte, name string) []byte {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	for b = skipSpace(b[1:]); ; b = skipSpace(b[1:]) {
		key, rest, ok := quoted(b)
		if !ok {
			return nil
		}
		b = skipSpace(rest)
		if len(b) == 0 || b[0] != ':' {
			return nil
		}
		b = skipSpace(b[1:])
		rest = skipValue(b)
		if string(key) == name {
			if rest == nil {
				return nil // it does not end
			}
			return bytes.TrimRight(b[:len(b)-len(rest)], " \n\r\t")
		}
		b = skipSpace(rest)
		if len(b) == 0 || b[0] != ',' {
			return nil
		}
	}
}
