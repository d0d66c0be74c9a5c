package githubtest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/hooknotary/hooknotary/providers/github/githubtest"
)

// A handler's test sends what GitHub would send.
func ExampleNewRequest() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path, r.Header.Get("X-GitHub-Event"))
	})
	r := githubtest.NewRequest("https://ci.example/hooks/github", "push",
		[]byte(`{"ref":"refs/heads/main"}`), "4vN8tQz1Lw6Xr3Ky9Pb2Jc5H")
	handler.ServeHTTP(httptest.NewRecorder(), r)
	// Output: POST /hooks/github push
}

// The vector that GitHub's documentation prints.
func ExampleHeader() {
	h := githubtest.Header("ping", []byte("Hello, World!"), "It's a Secret to Everybody")
	fmt.Println(h.Get("X-Hub-Signature-256"))
	// Output: sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17
}
