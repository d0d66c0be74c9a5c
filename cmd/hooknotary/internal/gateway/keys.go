package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/hooknotary/hooknotary/middleware/assertion"
)

// KeysPath is where the public keys of the assertions are published.
const KeysPath = "/.well-known/jwks.json"

// keyLife is how long a receiver may keep the keys: a new one is published for longer
// before it signs.
const keyLife = "max-age=300"

// keySet writes the public keys as a JSON Web Key Set.
func keySet(keys []assertion.Key) ([]byte, error) {
	set, err := assertion.NewKeySet(keys...)
	if err != nil {
		return nil, err
	}
	return json.Marshal(set)
}

// Keys returns a handler that publishes the public keys of the assertions as a JSON Web
// Key Set, as the configuration is at the time of the request.
func (g *Gateway) Keys() http.Handler { return http.HandlerFunc(g.serveKeys) }

func (g *Gateway) serveKeys(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		answer(http.StatusMethodNotAllowed).ServeHTTP(w, r)
		return
	}
	keys := g.serving.Load().keys
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json")
	h.Set("Cache-Control", keyLife)
	h.Set("Content-Length", strconv.Itoa(len(keys)))
	w.Write(keys)
}
