package migration

import (
	"context"
	"net/http"
	"os"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/scheme"
	"github.com/hooknotary/hooknotary/verify"
)

// standardWebhooks describes the scheme. The headers start with "svix" or with
// "webhook"; the documentation of the sender says which.
func standardWebhooks(prefix string) scheme.Definition {
	return scheme.Definition{
		Provider: "standard-webhooks",
		Signatures: []scheme.Signature{{
			Header: prefix + "-signature", Field: "v1", Separator: " ", Assign: ",", Encoding: scheme.Base64,
		}},
		Timestamp: scheme.Timestamp{Header: prefix + "-timestamp"},
		Message: []scheme.Part{
			scheme.Field(prefix + "-id"), scheme.Literal("."), scheme.SignedTime(), scheme.Literal("."), scheme.Body(),
		},
		ID:      scheme.ID{Header: prefix + "-id"},
		Secret:  scheme.Secret{Encoding: scheme.Base64Secret, Prefix: "whsec_", Refuse: []string{"whpk_", "whsk_"}},
		MaxBody: 1 << 20,
		Retry:   verify.RetryResigned, // each attempt is signed anew, under the same id
	}
}

// standardAfter is the endpoint behind a guard.
func standardAfter(mux *http.ServeMux, prefix string, handle func(context.Context, []byte) error) error {
	v, err := scheme.New(standardWebhooks(prefix), verify.Secrets(os.Getenv("WEBHOOK_SECRET")), nil)
	if err != nil {
		return err
	}
	mux.Handle("POST /hooks/users", middleware.Protect(v)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "not verified", http.StatusInternalServerError)
			return
		}
		if err := handle(r.Context(), d.Body); err != nil {
			http.Error(w, "try again later", http.StatusInternalServerError)
		}
	})))
	return nil
}
