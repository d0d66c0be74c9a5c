package schemejson

import (
	"fmt"
	"strings"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// named is a value of an enumeration, and what it is called in a document.
type named[T comparable] struct {
	name  string
	value T
}

// enum lists the values of an enumeration.
type enum[T comparable] []named[T]

// nameOf returns what a value is called.
func (e enum[T]) nameOf(value T) (string, error) {
	for _, n := range e {
		if n.value == value {
			return n.name, nil
		}
	}
	return "", fmt.Errorf("the value %v has no name in a document", value)
}

// read returns the value of that name. The error repeats nothing of the document.
func (e enum[T]) read(path, name string) (value T, err error) {
	var all []string
	for _, n := range e {
		if n.name == name {
			return n.value, nil
		}
		all = append(all, fmt.Sprintf("%q", n.name))
	}
	return value, fmt.Errorf("%s is none of %s", path, strings.Join(all, ", "))
}

func algorithms() enum[scheme.Algorithm] {
	return enum[scheme.Algorithm]{
		{"hmac-sha256", scheme.HMACSHA256}, {"hmac-sha512", scheme.HMACSHA512}, {"insecure-hmac-sha1", scheme.InsecureHMACSHA1},
		{"ed25519", scheme.Ed25519}, {"ecdsa-p256-sha256", scheme.ECDSAP256SHA256}, {"rsa-sha256", scheme.RSASHA256}, {"rsa-double-sha256", scheme.RSADoubleSHA256},
		{"insecure-sha256", scheme.InsecureSHA256}, {"insecure-sha1", scheme.InsecureSHA1},
	}
}

func encodings() enum[scheme.Encoding] {
	return enum[scheme.Encoding]{
		{"hex", scheme.Hex}, {"upper_hex", scheme.UpperHex}, {"base64", scheme.Base64}, {"base64url", scheme.Base64URL}, {"raw_base64url", scheme.RawBase64URL},
	}
}

func units() enum[scheme.Unit] {
	return enum[scheme.Unit]{{"seconds", scheme.Seconds}, {"milliseconds", scheme.Milliseconds}, {"rfc3339", scheme.RFC3339}, {"iso8601", scheme.ISO8601}}
}

func secretEncodings() enum[scheme.SecretEncoding] {
	return enum[scheme.SecretEncoding]{{"text", scheme.TextSecret}, {"base64", scheme.Base64Secret}, {"hex", scheme.HexSecret}}
}

// publicKey is what stands for the encoding of a secret where there is none.
const publicKey = "public_key"

func partNames() enum[scheme.PartKind] {
	return enum[scheme.PartKind]{
		{"literal", scheme.LiteralPart}, {"signed_time", scheme.TimePart}, {"field", scheme.FieldPart}, {"url", scheme.URLPart}, {"body", scheme.BodyPart},
		{"method", scheme.MethodPart}, {"body_sha256", scheme.BodySHA256Part}, {"secret_text", scheme.SecretPart},
	}
}

// More names of a FieldPart.
const (
	fixedField = "fixed_field"
	uuidField  = "uuid_field"
	uuidOrHash = "uuid_or_hash_field"
)

func retries() enum[verify.Retry] {
	return enum[verify.Retry]{{"resigned", verify.RetryResigned}, {"identical", verify.RetryIdentical}, {"never", verify.RetryNever}}
}

func compressions() enum[verify.Compression] {
	return enum[verify.Compression]{{"gzip_signed", verify.GzipSigned}, {"gzip_unpacked", verify.GzipUnpacked}}
}

func handshakeKinds() enum[scheme.HandshakeKind] {
	return enum[scheme.HandshakeKind]{
		{"get", scheme.GetHandshake}, {"head", scheme.HeadHandshake}, {"post", scheme.PostHandshake}, {"signed", scheme.SignedHandshake},
	}
}

func jsonSpaces() enum[verify.JSONSpace] {
	return enum[verify.JSONSpace]{{"compact", verify.JSONCompact}, {"indented", verify.JSONIndented}, {"spaced", verify.JSONSpaced}}
}
