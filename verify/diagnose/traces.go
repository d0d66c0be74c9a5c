package diagnose

import (
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"
)

// traces are the ids of what an encoder did to a body.
var traces = [...]ID{
	jsonform.Compacted:     BodyCompacted,
	jsonform.Indented:      BodyIndented,
	jsonform.KeyOrder:      BodyKeyOrder,
	jsonform.HTMLEscape:    BodyHTMLEscape,
	jsonform.UnicodeEscape: BodyUnicodeEscape,
	jsonform.SlashEscape:   BodySlashEscape,
	jsonform.Numbers:       BodyNumbers,
	jsonform.NewlineAdded:  BodyNewlineAdded,
	jsonform.NewlineCut:    BodyNewlineCut,
	jsonform.Reserialised:  BodyReserialised,
}

func traced(all []jsonform.Trace) []ID {
	var ids []ID
	for _, t := range all {
		ids = append(ids, traces[t])
	}
	return ids
}

// usual says how the verifier's provider writes its bodies.
func (q *inquiry) usual() jsonform.Usual {
	style := styles[q.profile.Provider]
	if known := q.about.JSON; known.Space != "" || known.Sorted {
		style = known
	}
	return usualOf(style)
}

func usualOf(s verify.JSONStyle) jsonform.Usual {
	u := jsonform.Usual{White: []jsonform.White{jsonform.WhiteNone, jsonform.WhiteTwo, jsonform.WhiteSpaced}, First: s.First}
	switch s.Space {
	case verify.JSONCompact:
		u.White = []jsonform.White{jsonform.WhiteNone}
	case verify.JSONIndented:
		u.White = []jsonform.White{jsonform.WhiteTwo}
	case verify.JSONSpaced:
		u.White = []jsonform.White{jsonform.WhiteSpaced}
	}
	if s.Sorted || s.Space == "" {
		u.Order, u.Sorts = jsonform.OrderSorted, len(s.First) == 0
	}
	return u
}
