package observe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/observe"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// refuser is a verifier that refuses every head.
type refuser struct{}

func (refuser) Profile() verify.Profile {
	return verify.Profile{Provider: "acme", MaxBody: 1 << 10, Binding: verify.BindingFull, Retry: verify.RetryNever}
}

func (refuser) Begin(context.Context, *verify.Head) (verify.Pending, error) {
	return nil, &verify.Error{Reason: verify.ErrUnsigned}
}

func TestWith(t *testing.T) {
	guard, err := middleware.New("test", refuser{}, replay.NewMemory(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	handler := guard.Handler(http.NotFoundHandler())
	var told []string
	tell := func(name string) func(context.Context, middleware.Report) {
		return func(ctx context.Context, r middleware.Report) {
			told = append(told, name+" "+r.Reason.String())
			if observe.SignedBody(ctx) != nil {
				t.Error("there is a signed body although nothing was signed")
			}
		}
	}
	for _, tt := range []struct {
		name  string
		names []string
		want  []string
	}{
		{"without an observer nobody is told", nil, nil},
		{"an observer is told", []string{"a"}, []string{"a unsigned"}},
		{"the last one that was added is told first", []string{"a", "b"}, []string{"b unsigned", "a unsigned"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told = nil
			ctx := t.Context()
			for _, name := range tt.names {
				ctx = observe.With(ctx, tell(name))
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("POST", "/", nil).WithContext(ctx))
			if w.Code != http.StatusUnauthorized || !slices.Equal(told, tt.want) {
				t.Errorf("status %d, told %q, want %q", w.Code, told, tt.want)
			}
		})
	}
	t.Run("an observer that is nil panics where it is added", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		observe.With(t.Context(), nil)
	})
	t.Run("outside of an observer there is no signed body", func(t *testing.T) {
		if observe.SignedBody(t.Context()) != nil {
			t.Error("there is one")
		}
	})
}
