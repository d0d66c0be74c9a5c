package scheme_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

func keys(t testing.TB, secrets ...string) verify.KeyList {
	t.Helper()
	list, err := verify.Secrets(secrets...).KeyList()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func mustNew(t testing.TB, d scheme.Definition, o *scheme.Options, secrets ...string) *scheme.Verifier {
	t.Helper()
	v, err := scheme.New(d, keys(t, secrets...), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// listed is a definition with a list of signatures and the time in it.
func listed() scheme.Definition {
	return scheme.Definition{
		Provider:   "listed",
		Retry:      verify.RetryNever,
		Signatures: []scheme.Signature{{Header: "Listed-Signature", Field: "v1", Separator: ",", Assign: "="}},
		Timestamp:  scheme.Timestamp{Field: "t"},
		Message:    []scheme.Part{scheme.SignedTime(), scheme.Literal("."), scheme.Body()},
		ID:         scheme.ID{Member: "id"},
		MaxBody:    1 << 20,
	}
}

func bare() scheme.Definition {
	return scheme.Definition{
		Provider:   "bare",
		Retry:      verify.RetryNever,
		Signatures: []scheme.Signature{{Header: "Bare-Signature"}},
		Message:    []scheme.Part{scheme.Body()},
		MaxBody:    1 << 20,
	}
}

func TestNew(t *testing.T) {
	t.Run("a mistaken definition is refused", func(t *testing.T) {
		type edit = func(*scheme.Definition)
		literal, body, timestamp := scheme.Literal("."), scheme.Body(), scheme.SignedTime()
		for _, tt := range []struct {
			name  string
			base  func() scheme.Definition
			wrong edit
			right edit // differs from wrong in one thing
			text  string
		}{
			{"without a provider", bare, func(d *scheme.Definition) { d.Provider = "" }, func(d *scheme.Definition) { d.Provider = "a" }, "Provider"},
			{"with a provider in upper case", bare, func(d *scheme.Definition) { d.Provider = "Acme" }, func(d *scheme.Definition) { d.Provider = "acme" }, "Provider"},
			{"with a provider of two words", bare, func(d *scheme.Definition) { d.Provider = "a b" }, func(d *scheme.Definition) { d.Provider = "a-b" }, "Provider"},
			{"with a provider of 65 bytes", bare, func(d *scheme.Definition) { d.Provider = strings.Repeat("a", 65) }, func(d *scheme.Definition) { d.Provider = strings.Repeat("a", 64) }, "Provider"},
			{"without a largest body", bare, func(d *scheme.Definition) { d.MaxBody = 0 }, func(d *scheme.Definition) { d.MaxBody = 1 }, "MaxBody"},
			{"with a negative largest body", bare, func(d *scheme.Definition) { d.MaxBody = -1 }, func(d *scheme.Definition) { d.MaxBody = 1 }, "MaxBody"},
			{"with a negative retention", bare, func(d *scheme.Definition) { d.Retention = -1 }, func(d *scheme.Definition) { d.Retention = 0 }, "Retention"},
			{"without a signature", bare, func(d *scheme.Definition) { d.Signatures = nil }, func(d *scheme.Definition) {}, "no Signature"},
			{"with a signature without a header", bare, func(d *scheme.Definition) { d.Signatures[0].Header = "" }, func(d *scheme.Definition) {}, "no Header"},
			{"with an unknown encoding", bare, func(d *scheme.Definition) { d.Signatures[0].Encoding = scheme.RawBase64URL + 1 }, func(d *scheme.Definition) { d.Signatures[0].Encoding = scheme.Base64 }, "unknown Encoding"},
			{"with an unknown hash", bare, func(d *scheme.Definition) { d.Signatures[0].Algorithm = 200 }, func(d *scheme.Definition) { d.Signatures[0].Algorithm = scheme.InsecureHMACSHA1 }, "unknown Encoding or Algorithm"},
			{"with two signatures of one hash", bare,
				func(d *scheme.Definition) { d.Signatures = append(d.Signatures, scheme.Signature{Header: "X"}) },
				func(d *scheme.Definition) {
					d.Signatures = append(d.Signatures, scheme.Signature{Header: "X", Algorithm: scheme.InsecureHMACSHA1})
				}, "falling strength"},
			{"with a separator that a signature contains", bare, func(d *scheme.Definition) { d.Signatures[0].Separator = "a" }, func(d *scheme.Definition) { d.Signatures[0].Separator = "," }, "Separator of bare values"},
			{"with a separator of bare values that has two characters", bare, func(d *scheme.Definition) { d.Signatures[0].Separator = ", " }, func(d *scheme.Definition) { d.Signatures[0].Separator, d.Signatures[0].Blanks = ",", true }, "Separator of bare values"},
			{"with a separator that base64 has", bare, func(d *scheme.Definition) { d.Signatures[0].Separator, d.Signatures[0].Encoding = "/", scheme.Base64 }, func(d *scheme.Definition) {
				d.Signatures[0].Separator, d.Signatures[0].Encoding = "/", scheme.Base64URL
			}, "character of its Encoding"},
			{"with a separator of items that a signature contains", listed, func(d *scheme.Definition) { d.Signatures[0].Separator = "f" }, func(d *scheme.Definition) { d.Signatures[0].Separator = "g" }, "character of its Encoding"},
			{"with a separator of items that upper-case hexadecimal has", listed, func(d *scheme.Definition) { d.Signatures[0].Separator, d.Signatures[0].Encoding = "F", scheme.UpperHex }, func(d *scheme.Definition) { d.Signatures[0].Separator, d.Signatures[0].Encoding = "f", scheme.UpperHex }, "character of its Encoding"},
			{"with a separator of items that pads base64", listed, func(d *scheme.Definition) {
				d.Signatures[0].Separator, d.Signatures[0].Assign, d.Signatures[0].Encoding = "=", ":", scheme.Base64URL
			}, func(d *scheme.Definition) {
				d.Signatures[0].Separator, d.Signatures[0].Assign, d.Signatures[0].Encoding = "=", ":", scheme.RawBase64URL
			}, "character of its Encoding"},
			{"with an assign but no field", bare, func(d *scheme.Definition) { d.Signatures[0].Assign = "=" }, func(d *scheme.Definition) {}, "no Field"},
			{"with a field but no separator", listed, func(d *scheme.Definition) { d.Signatures[0].Separator = "" }, func(d *scheme.Definition) { d.Signatures[0].Separator = ";" }, "Separator"},
			{"with a separator of two characters", listed, func(d *scheme.Definition) { d.Signatures[0].Separator = ", " }, func(d *scheme.Definition) { d.Signatures[0].Separator = " " }, "Separator"},
			{"with a field but no assign", listed, func(d *scheme.Definition) { d.Signatures[0].Assign = "" }, func(d *scheme.Definition) { d.Signatures[0].Assign = ":" }, "Assign"},
			{"with one separator for two purposes", listed, func(d *scheme.Definition) { d.Signatures[0].Assign = "," }, func(d *scheme.Definition) { d.Signatures[0].Assign = ":" }, "Assign"},
			{"with a field and a prefix", listed, func(d *scheme.Definition) { d.Signatures[0].Prefix = "p" }, func(d *scheme.Definition) {}, "no Prefix"},
			{"with a field that holds its separator", listed, func(d *scheme.Definition) { d.Signatures[0].Field = "v,1" }, func(d *scheme.Definition) { d.Signatures[0].Field = "v;1" }, "never be found"},
			{"with a time's field that holds the assign", listed, func(d *scheme.Definition) { d.Timestamp.Field = "t=" }, func(d *scheme.Definition) { d.Timestamp.Field = "t:" }, "never be found"},
			{"with a window but no time", bare, func(d *scheme.Definition) { d.Timestamp.Window.Past = time.Hour }, func(d *scheme.Definition) {}, "none of Header, Field, First and Member"},
			{"with a time at two places", listed, func(d *scheme.Definition) { d.Timestamp.Header = "X" }, func(d *scheme.Definition) {}, "more than one of"},
			{"with a time in a list that there is not", bare,
				func(d *scheme.Definition) {
					d.Timestamp.Field = "t"
					d.Message = []scheme.Part{timestamp, literal, body}
				},
				func(d *scheme.Definition) {
					d.Timestamp.Header = "t"
					d.Message = []scheme.Part{timestamp, literal, body}
				}, "Timestamp.Field"},
			{"with a time in the signature's field", listed, func(d *scheme.Definition) { d.Timestamp.Field = "v1" }, func(d *scheme.Definition) { d.Timestamp.Field = "t1" }, "another Field"},
			{"with a time in the list of one of two signatures", listed,
				func(d *scheme.Definition) {
					d.Signatures = append(d.Signatures, scheme.Signature{Header: "X", Algorithm: scheme.InsecureHMACSHA1})
				},
				func(d *scheme.Definition) {
					d.Signatures = append(d.Signatures, scheme.Signature{Header: "X", Algorithm: scheme.InsecureHMACSHA1})
					d.Timestamp = scheme.Timestamp{Header: "T"}
				}, "one Signature"},
			{"with an unknown unit", listed, func(d *scheme.Definition) { d.Timestamp.Unit = scheme.ISO8601 + 1 }, func(d *scheme.Definition) { d.Timestamp.Unit = scheme.RFC3339 }, "Unit"},
			{"with a negative window", listed, func(d *scheme.Definition) { d.Timestamp.Window.Past = -1 }, func(d *scheme.Definition) { d.Timestamp.Window.Past = 1 }, "Window"},
			{"with a negative window ahead", listed, func(d *scheme.Definition) { d.Timestamp.Window.Future = -1 }, func(d *scheme.Definition) { d.Timestamp.Window.Future = 1 }, "Window"},
			{"with a window of a month and more", listed, func(d *scheme.Definition) { d.Timestamp.Window.Past = 30*day + 1 }, func(d *scheme.Definition) { d.Timestamp.Window.Past = 30 * day }, "Window"},
			{"without a message", bare, func(d *scheme.Definition) { d.Message = nil }, func(d *scheme.Definition) {}, "Body once"},
			{"with a message of nine parts", bare,
				func(d *scheme.Definition) {
					d.Message = append([]scheme.Part{literal, literal, literal, literal, literal, literal, literal, literal}, body)
				},
				func(d *scheme.Definition) {
					d.Message = append([]scheme.Part{literal, literal, literal, literal, literal, literal, literal}, body)
				}, "more than 8"},
			{"with a zero part", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{{}, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{literal, body} }, "invalid part"},
			{"with an empty literal", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Literal(""), body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{literal, body} }, "empty Literal"},
			{"with two bodies", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{body, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{body} }, "Body"},
			{"with a signed header behind the body that nothing starts", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{body, scheme.Field("X-Id")} }, func(d *scheme.Definition) { d.Message = []scheme.Part{body, literal, scheme.Field("X-Id")} }, "more than one way"},
			{"with a header and a time that nothing parts", listed, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field("X-Id"), timestamp, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.UUIDField("X-Id"), timestamp, body} }, "the header X-Id and the body"},
			{"with a header of no bytes", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.FixedField("X-Id", 0), body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.FixedField("X-Id", 1), body} }, "FixedField"},
			{"with a header of 257 bytes", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.FixedField("X-Id", 257), body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.FixedField("X-Id", 256), body} }, "FixedField"},
			{"with a date without a zone before a digit", listed, func(d *scheme.Definition) {
				d.Timestamp.Unit, d.Message = scheme.ISO8601, []scheme.Part{timestamp, scheme.Literal("0"), body}
			}, func(d *scheme.Definition) {
				d.Timestamp.Unit, d.Message = scheme.ISO8601, []scheme.Part{timestamp, scheme.Literal("|"), body}
			}, "the time and the body"},
			{"with the method twice", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Method(), scheme.Method(), body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Method(), body} }, "twice"},
			{"with a signed header that nothing ends", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field("X-Id"), body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field("X-Id"), literal, body} }, "more than one way"},
			{"with a signed header without a name", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field(""), literal, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field("X-Id"), literal, body} }, "needs a name"},
			{"with a prefix of the secret that is required, and none", bare, func(d *scheme.Definition) { d.Secret.PrefixRequired = true }, func(d *scheme.Definition) { d.Secret.Refuse = []string{"whsec_"} }, "needs a Secret.Prefix"},
			{"with an unknown encoding of the secret", bare, func(d *scheme.Definition) { d.Secret.Encoding = scheme.HexSecret + 1 }, func(d *scheme.Definition) { d.Secret.Encoding = scheme.TextSecret }, "unknown Encoding"},
			{"with a parameter in its media type", bare, func(d *scheme.Definition) { d.MediaType = "application/json; charset=utf-8" }, func(d *scheme.Definition) { d.MediaType = "application/json" }, "MediaType"},
			{"with the host as a signed header", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field("host"), literal, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{scheme.Field("X-Host"), literal, body} }, "Host"},
			{"with two signatures in one header", bare,
				func(d *scheme.Definition) {
					d.Signatures[0].Algorithm = scheme.HMACSHA512
					d.Signatures = append(d.Signatures, scheme.Signature{Header: d.Signatures[0].Header})
				},
				func(d *scheme.Definition) {
					d.Signatures[0].Algorithm = scheme.HMACSHA512
					d.Signatures = append(d.Signatures, scheme.Signature{Header: "X"})
				}, "different headers"},
			{"with a time that is not signed", listed, func(d *scheme.Definition) { d.Message = []scheme.Part{body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{timestamp, body} }, "not signed proves nothing"},
			{"with a time that is signed twice", listed, func(d *scheme.Definition) { d.Message = []scheme.Part{timestamp, timestamp, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{timestamp, body} }, "SignedTime once"},
			{"with a signed time that stands nowhere", bare, func(d *scheme.Definition) { d.Message = []scheme.Part{timestamp, body} }, func(d *scheme.Definition) { d.Message = []scheme.Part{body} }, "no Timestamp"},
			{"whose retries are signed anew, without a time", bare, func(d *scheme.Definition) { d.Retry = verify.RetryResigned }, func(d *scheme.Definition) { d.Retry = verify.RetryIdentical }, "RetryResigned"},
			{"whose retries are signed anew, without an id", listed,
				func(d *scheme.Definition) { d.Retry, d.ID = verify.RetryResigned, scheme.ID{} },
				func(d *scheme.Definition) { d.Retry = verify.RetryResigned }, "RetriesRunAgain"},
			{"whose retries are signed anew, without an id and without knowing", listed,
				func(d *scheme.Definition) { d.Retry, d.ID = verify.RetryResigned, scheme.ID{} },
				func(d *scheme.Definition) {
					d.Retry, d.ID, d.RetriesRunAgain = verify.RetryResigned, scheme.ID{}, true
				}, "RetriesRunAgain"},
			{"whose retries run again, with an id", listed,
				func(d *scheme.Definition) { d.Retry, d.RetriesRunAgain = verify.RetryResigned, true },
				func(d *scheme.Definition) {
					d.Retry, d.RetriesRunAgain, d.ID = verify.RetryResigned, true, scheme.ID{}
				}, "RetriesRunAgain"},
			{"whose retries run again and are not signed anew", bare,
				func(d *scheme.Definition) { d.RetriesRunAgain = true }, func(d *scheme.Definition) {}, "RetriesRunAgain"},
			{"with partitions but no header of them", bare,
				func(d *scheme.Definition) { d.Partitions = []string{"a"} },
				func(d *scheme.Definition) { d.Partition, d.Partitions = "X-Topic", []string{"a"} }, "no Partition header"},
			{"with an empty partition", shopify,
				func(d *scheme.Definition) { d.Partitions = []string{"a", ""} },
				func(d *scheme.Definition) { d.Partitions = []string{"a", "b"} }, "Partitions"},
			{"with a credential that every secret is", bare,
				func(d *scheme.Definition) { d.About.Credentials = []verify.Credential{{What: "an API key"}} },
				func(d *scheme.Definition) {
					d.About.Credentials = []verify.Credential{{Prefix: "sk_", What: "an API key"}}
				}, "Credentials"},
			{"that does not say how the sender retries", bare, func(d *scheme.Definition) { d.Retry = 0 }, func(d *scheme.Definition) { d.Retry = verify.RetryNever }, "Retry"},
			{"with an unknown way to retry", bare, func(d *scheme.Definition) { d.Retry = verify.RetryNever + 1 }, func(d *scheme.Definition) { d.Retry = verify.RetryNever }, "Retry"},
			{"with an id at two places", listed,
				func(d *scheme.Definition) {
					d.ID = scheme.ID{Header: "X-Id", Member: "id"}
					d.Message = append([]scheme.Part{scheme.Field("X-Id"), literal}, d.Message...)
				},
				func(d *scheme.Definition) {
					d.ID = scheme.ID{Header: "X-Id"}
					d.Message = append([]scheme.Part{scheme.Field("X-Id"), literal}, d.Message...)
				}, "both Header and Member"},
			{"with an id in a header that is not signed", bare,
				func(d *scheme.Definition) { d.ID.Header = "X-Id" },
				func(d *scheme.Definition) {
					d.ID.Header = "x-id"
					d.Message = append([]scheme.Part{scheme.Field("X-ID"), literal}, d.Message...)
				}, "not signed identifies nothing"},
			{"with an id's prefix but no id", bare, func(d *scheme.Definition) { d.ID = scheme.ID{Prefix: "evt_"} }, func(d *scheme.Definition) { d.ID = scheme.ID{Prefix: "evt_", Member: "id"} }, "Prefix"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				wrong, right := tt.base(), tt.base()
				tt.wrong(&wrong)
				tt.right(&right)
				v, err := scheme.New(wrong, keys(t, plainSecrets[0]), nil)
				if err == nil {
					t.Fatalf("New made %v", v)
				}
				if v != nil {
					t.Error("New returned a verifier with an error")
				}
				if !strings.HasPrefix(err.Error(), "scheme: definition of ") || !strings.Contains(err.Error(), tt.text) {
					t.Errorf("the error does not say what is wrong: %v", err)
				}
				if v, err := scheme.New(right, keys(t, plainSecrets[0]), nil); err != nil || v == nil {
					t.Errorf("the twin is refused: %v", err)
				}
			})
		}
	})

	t.Run("mistaken options are refused", func(t *testing.T) {
		narrow := func(past, future time.Duration) *scheme.Options {
			return &scheme.Options{Window: verify.Window{Past: past, Future: future}}
		}
		for _, tt := range []struct {
			name         string
			d            scheme.Definition
			wrong, right *scheme.Options
		}{
			{"a window that is longer than the scheme's", listed(), narrow(5*time.Minute+1, 0), narrow(5*time.Minute, 0)},
			{"a window that is longer ahead than the scheme's", listed(), narrow(0, 5*time.Minute+1), narrow(0, 5*time.Minute)},
			{"a negative window", listed(), narrow(-1, 0), narrow(1, 0)},
			{"a negative window ahead", listed(), narrow(0, -1), narrow(0, 1)},
			{"a window where no time is signed", bare(), narrow(time.Minute, 0), narrow(0, 0)},
			{"partitions where the scheme has none", bare(), &scheme.Options{Partitions: []string{"a"}}, &scheme.Options{}},
			{"an empty partition", shopify(), &scheme.Options{Partitions: []string{"a", ""}}, &scheme.Options{Partitions: []string{"a", "b"}}},
			{"a partition with a space", shopify(), &scheme.Options{Partitions: []string{"a b"}}, &scheme.Options{Partitions: []string{"a-b"}}},
			{"a partition with a space at its end", shopify(), &scheme.Options{Partitions: []string{"a", "ab "}}, &scheme.Options{Partitions: []string{"a", "ab"}}},
			{"a partition that is not ASCII", shopify(), &scheme.Options{Partitions: []string{"\u00e9"}}, &scheme.Options{Partitions: []string{"e"}}},
			{"a partition of 257 bytes", shopify(), &scheme.Options{Partitions: []string{strings.Repeat("p", 257)}}, &scheme.Options{Partitions: []string{strings.Repeat("p", 256)}}},
			{"ids that keep events apart where the scheme has none", bare(), &scheme.Options{InsecureDistinctByUnsignedID: true}, &scheme.Options{}},
			{"ids that keep events apart, and partitions, too", shopify(),
				&scheme.Options{InsecureDistinctByUnsignedID: true, Partitions: []string{"orders/create"}}, &scheme.Options{InsecureDistinctByUnsignedID: true}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if v, err := scheme.New(tt.d, keys(t, plainSecrets[0]), tt.wrong); err == nil || v != nil {
					t.Errorf("New made %v, error %v", v, err)
				}
				if _, err := scheme.New(tt.d, keys(t, plainSecrets[0]), tt.right); err != nil {
					t.Errorf("the twin is refused: %v", err)
				}
			})
		}
	})

	t.Run("mistaken keys are refused", func(t *testing.T) {
		base64Keys := standardWebhooks("webhook")
		for _, tt := range []struct {
			name         string
			d            scheme.Definition
			o            *scheme.Options
			wrong, right []string
			text         string
		}{
			{"a secret of 15 bytes", bare(), nil, []string{"123456789abcdef"}, []string{"0123456789abcdef"}, "want at least 16"},
			{"the prefix of another credential", base64Keys, nil, []string{"whpk_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}, []string{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}, "another credential"},
			{"a key that is not base64", base64Keys, nil, []string{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7o!"}, []string{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}, "not base64"},
			{"a key in the URL-safe alphabet", base64Keys, nil, []string{"whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD"}, []string{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}, "not base64"},
			{"a key without its padding", base64Keys, nil, []string{"whsec_Z2VoZWltZXJTY2hsw7xzc2VsMTIzNA"}, []string{"whsec_Z2VoZWltZXJTY2hsw7xzc2VsMTIzNA=="}, "not base64"},
			{"a key with trailing bits", base64Keys, nil, []string{"whsec_Z2VoZWltZXJTY2hsw7xzc2VsMTIzNB=="}, []string{"whsec_Z2VoZWltZXJTY2hsw7xzc2VsMTIzNA=="}, "not base64"},
			{"a key with a line break inside", base64Keys, nil, []string{"whsec_C2FVsBQIhrscChlQ\nIMV+b5sSYspob7oD"}, []string{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}, "line break"},
			{"a key that decodes to 15 bytes", base64Keys, nil, []string{"whsec_AAECAwQFBgcICQoLDA0O"}, []string{"whsec_AAECAwQFBgcICQoLDA0ODw=="}, "want at least 16"},
			{"a key that decodes to nothing", base64Keys, &scheme.Options{InsecureAllowShortSecret: true}, []string{"whsec_"}, []string{"whsec_AA=="}, "nothing"},
			{"one key in two spellings", base64Keys, nil, []string{base64Secrets[0], strings.TrimPrefix(base64Secrets[0], "whsec_")}, base64Secrets[:2], "same secret"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				v, err := scheme.New(tt.d, verify.Secrets(tt.wrong...), tt.o)
				if err == nil || v != nil {
					t.Fatalf("New made %v, error %v", v, err)
				}
				if !strings.Contains(err.Error(), tt.text) {
					t.Errorf("the error does not say what is wrong: %v", err)
				}
				for _, secret := range tt.wrong {
					if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), strings.TrimPrefix(secret, "whsec_")) && secret != "whsec_" {
						t.Errorf("the error holds the secret: %v", err)
					}
				}
				if _, err := scheme.New(tt.d, verify.Secrets(tt.right...), tt.o); err != nil {
					t.Errorf("the twin is refused: %v", err)
				}
			})
		}
		t.Run("a short secret is allowed only by name", func(t *testing.T) {
			mustNew(t, bare(), &scheme.Options{InsecureAllowShortSecret: true}, "s")
		})
	})

	// Changes everything behind the verifier's back.
	t.Run("what is given is copied", func(t *testing.T) {
		d, o := shopify(), &scheme.Options{Partitions: []string{"orders/create"}}
		d.Partitions = []string{"orders/paid"}
		list := keys(t, plainSecrets[0])
		v, err := scheme.New(d, list, o)
		if err != nil {
			t.Fatal(err)
		}
		body := []byte(`{}`)
		head := &verify.Head{Header: signShopify(time.Time{}, nil, body, plainSecrets[0]), ReceivedAt: received}
		want, err := verify.Verify(context.Background(), v, head, body)
		if err != nil {
			t.Fatal(err)
		}
		d.Signatures[0].Header = "Other"
		d.Message[0] = scheme.Literal("other")
		o.Partitions[0], d.Partitions[0] = "other", "other"
		list[0] = verify.Key{}
		got, err := verify.Verify(context.Background(), v, head, body)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Fingerprint.Equal(want.Fingerprint) || got.Unsigned != want.Unsigned || want.Unsigned.Partition != "orders/create" {
			t.Errorf("the verifier changed: %+v, before %+v", got, want)
		}
	})

	t.Run("a verifier prints its provider", func(t *testing.T) {
		var none *scheme.Verifier
		for want, v := range map[string]*scheme.Verifier{
			"scheme.Verifier(bare)": mustNew(t, bare(), nil, plainSecrets[0]),
			"scheme.Verifier(none)": none,
		} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
				if got := fmt.Sprintf(verb, v); got != want {
					t.Errorf("%s prints %q, want %q", verb, got, want)
				}
			}
		}
		if got := fmt.Sprint(new(scheme.Verifier)); got != "scheme.Verifier(none)" {
			t.Errorf("the zero Verifier prints %q", got)
		}
	})
}
