// Package schemejson writes a definition of package scheme as JSON, and reads one. It is
// for tools: a sender that this module does not know takes a file, and no Go.
//
//	{
//	  "version": 1,
//	  "kind": "data",
//	  "provider": "acme",
//	  "signatures": [{"header": "Acme-Signature", "field": "v1", "separator": ",", "assign": "=",
//	                  "encoding": "hex", "algorithm": "hmac-sha256"}],
//	  "message": [{"part": "signed_time"}, {"part": "literal", "text": "."}, {"part": "body"}],
//	  "timestamp": {"field": "t", "unit": "seconds", "past": "5m", "future": "5m"},
//	  "id": {"member": "id"},
//	  "secret": {"encoding": "text", "prefix": "whsec_"},
//	  "max_body": 1048576,
//	  "retry": "identical",
//	  "retention": "72h",
//	  "about": {"title": "Acme", "not_covered": ["the topic"], "links": ["https://acme.example/docs"]}
//	}
//
// hooknotary providers --json prints those of this module, and hooknotary verify
// --definition FILE takes one:
//
//	hooknotary verify --definition acme.json --secret-env ACME_SECRET delivery.http
//
// The members are those of scheme.Definition, whose documentation says what each of them
// means and what must not stand beside what. The file schema.json, which is a JSON
// Schema, lists them.
//
// # What is refused
//
// A definition decides what is taken for genuine, so the form leaves nothing to guess. Whatever
// names an algorithm, an encoding or a unit is required; there is no default. A name
// that is unknown, repeated or written in other letters is refused, and so are a null, a number
// with a fraction, and a text of more than 64 KiB. A duration is a text, such as "5m".
// What scheme.New would refuse is refused here.
//
// A definition holds no secret and no source of keys, and none of the options whose names
// start with Insecure: those are for the endpoint to say. Algorithms that are weak say so in
// their names.
//
// Of a provider that takes code there is no definition. Its document has the kind "code",
// or "token" where the provider signs nothing, and Unmarshal refuses it.
package schemejson
