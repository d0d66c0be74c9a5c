package twilio_test

import (
	"log"
	"net/http"
	"os"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/twilio"
	"github.com/hooknotary/hooknotary/verify"
)

// An endpoint whose status callbacks name an order in their query:
// https://shop.example/hooks/status?order=17.
func ExampleNew() {
	v, err := twilio.New("https://shop.example/hooks/status", verify.Secrets(os.Getenv("TWILIO_AUTH_TOKEN")), &twilio.Options{AnyQuery: true})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("POST /hooks/status", middleware.Protect(v)(http.NotFoundHandler()))
}
