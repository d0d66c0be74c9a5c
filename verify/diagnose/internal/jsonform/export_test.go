package jsonform

// Unchanged writes a JSON text from its tokens.
func Unchanged(text []byte) ([]byte, bool) {
	d, _, ok := Scan(text)
	if !ok {
		return nil, false
	}
	return d.write(nil, d.tokens, &form{}), true
}

// Spellings returns other ways to write a number that mean the same.
func Spellings(s string) []string {
	all := spellings(s)
	for _, rewrite := range rewrites {
		all = append(all, rewrite(s))
	}
	return all
}
