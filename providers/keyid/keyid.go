// Package keyid finds the key of a request by the id of a key that stands in a header.
//
// Some senders name the key that they signed with, such as Pusher in X-Pusher-Key. An
// endpoint that serves one app needs no more than its secret. One that serves several
// apps looks the secret up by the id, and an id that it does not know is refused, and
// never tried with all secrets:
//
//	v, err := pusher.New(keyid.ByHeader("X-Pusher-Key", map[string]verify.Key{
//		"278d425bdf160c739803": first,
//		"6f0c1a5b9e2d47388c50": second,
//	}), nil)
//
// The header is not signed, so it decides which key is tried and nothing else: who may
// have sent the request is said by the key's scope.
package keyid

import (
	"context"
	"maps"
	"net/http"

	"github.com/hooknotary/hooknotary/verify"
)

// ByHeader returns a key source that yields the key whose id is the value of the header,
// byte for byte. A request without the header, with several of them or with an id that is
// not in the map has no key, and is refused with [verify.ErrNoKey].
//
// The map is copied. Its keys have scopes and labels of their own: two keys of one app,
// during a rotation, have one scope; two apps have two. The source may be used by many
// goroutines.
func ByHeader(name string, keys map[string]verify.Key) verify.KeySource {
	name, keys = http.CanonicalHeaderKey(name), maps.Clone(keys)
	return verify.KeyFunc(func(_ context.Context, h *verify.Head) ([]verify.Key, error) {
		values := h.Header[name]
		if len(values) != 1 {
			return nil, nil
		}
		key, ok := keys[values[0]]
		if !ok {
			return nil, nil
		}
		return []verify.Key{key}, nil
	})
}
