package schemejson

import "github.com/hooknotary/hooknotary/verify"

// about reads what is said for people and tools. EqualBodies follows from the rest of a
// definition.
func (w *description) about() (a verify.About, err error) {
	a = verify.About{
		Title: w.Title, Signed: w.Signed, InBody: w.InBody, SecretQuery: w.SecretQuery, NotCovered: w.NotCovered, Identifier: w.Identifier, SecretPrefix: w.SecretPrefix,
		Handshakes: w.Handshakes, Links: w.Links, OutsideVector: w.OutsideVector,
	}
	for _, h := range w.Headers {
		a.Headers = append(a.Headers, verify.HeaderUse(h))
	}
	for _, c := range w.Credentials {
		a.Credentials = append(a.Credentials, verify.Credential(c))
	}
	if w.JSON != nil {
		a.JSON = verify.JSONStyle{First: w.JSON.First, Sorted: w.JSON.Sorted}
		if w.JSON.Space != "" {
			if a.JSON.Space, err = jsonSpaces().read("about.json.space", w.JSON.Space); err != nil {
				return a, err
			}
		}
	}
	if w.Tell != nil {
		a.Tell = verify.Tell(*w.Tell)
	}
	for _, m := range w.OtherMedia {
		a.OtherMedia = append(a.OtherMedia, verify.MediaNote(m))
	}
	return a, nil
}

// describe writes what about reads.
func describe(a verify.About) *description {
	w := &description{
		Title: a.Title, Signed: a.Signed, InBody: a.InBody, SecretQuery: a.SecretQuery, NotCovered: a.NotCovered, Identifier: a.Identifier, SecretPrefix: a.SecretPrefix,
		Handshakes: a.Handshakes, Links: a.Links, OutsideVector: a.OutsideVector,
	}
	for _, h := range a.Headers {
		w.Headers = append(w.Headers, headerUse(h))
	}
	for _, c := range a.Credentials {
		w.Credentials = append(w.Credentials, credential(c))
	}
	if s := a.JSON; s.Space != "" || s.Sorted || len(s.First) > 0 {
		w.JSON = &jsonStyle{Space: string(s.Space), First: s.First, Sorted: s.Sorted}
	}
	if t := a.Tell; t.Name != "" || t.Value != "" || t.Before != "" || len(t.Headers) > 0 {
		made := tell(t)
		w.Tell = &made
	}
	for _, m := range a.OtherMedia {
		w.OtherMedia = append(w.OtherMedia, mediaNote(m))
	}
	return w
}
