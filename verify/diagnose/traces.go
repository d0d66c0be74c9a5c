package diagnose

import "github.com/hooknotary/hooknotary/verify/diagnose/internal/jsonform"

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

func usualOf(provider string) jsonform.Usual {
	switch provider {
	case "stripe":
		return jsonform.Usual{White: []jsonform.White{jsonform.WhiteTwo}, Order: jsonform.OrderIDFirst}
	case "github", "paypal":
		return jsonform.Usual{White: []jsonform.White{jsonform.WhiteNone}}
	}
	return jsonform.Usual{White: []jsonform.White{jsonform.WhiteNone, jsonform.WhiteTwo, jsonform.WhiteSpaced}, Order: jsonform.OrderSorted, Sorts: true}
}
