package ginmw_test

import (
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/ginmw"
	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// In a program the secret comes from its environment.
const exampleSecret = "whsec_e1d5a0b97c3f4286"

// One process, one line.
func ExampleProtect() {
	handler := func(c *gin.Context) {
		d, _ := verify.FromContext(c.Request.Context())
		fmt.Printf("handling %s\n", d.Body)
		c.Status(204)
	}
	r := gin.New()
	r.POST("/hooks/github", ginmw.Protect(github.Must(exampleSecret)), handler)

	body := []byte(`{"ref":"refs/heads/main"}`)
	for range 2 {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, githubtest.NewRequest("https://ci.example/hooks/github", "push", body, exampleSecret))
		fmt.Println(w.Code)
	}

	// Output:
	// handling {"ref":"refs/heads/main"}
	// 204
	// 409
}

// A guard with a store of one's own choice. What its handler fails may come
// again.
func ExampleNew() {
	guard, err := middleware.New("billing", stripe.Must(exampleSecret), replay.NewMemory(nil), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	attempts := 0
	r := gin.New()
	r.POST("/hooks/stripe", ginmw.New(guard), func(c *gin.Context) {
		if attempts++; attempts == 1 {
			c.Error(fmt.Errorf("the database is away")) // a middleware outside may log and answer it
			return
		}
		c.Status(204)
	})

	now := time.Now()
	for range 3 {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, stripetest.NewRequest("https://shop.example/hooks/stripe", now, []byte(`{"id":"evt_1"}`), exampleSecret))
		fmt.Println(w.Code, "after", attempts)
	}

	// Output:
	// 500 after 1
	// 204 after 2
	// 409 after 2
}
