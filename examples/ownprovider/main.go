// Ownprovider verifies webhooks of a provider that this module does not have. Package
// acme beside it describes how the provider signs, in fifteen lines, and its test is one
// line.
//
//	go run ./examples/ownprovider
//
// sends itself a genuine delivery, a changed one and the genuine one again, and prints
// what came of them. It exits with 1 if that is not what is promised.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/hooknotary/hooknotary/examples/ownprovider/acme"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/providers/providertest/signer"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "9f2b7c41d8e05a63b1f47290ce8d3a56" // that of the provider's dashboard

func main() {
	guard := middleware.Protect(acme.Must(secret))
	server := httptest.NewServer(guard(http.HandlerFunc(receive)))
	defer server.Close()

	body := []byte(`{"event_id":"evt_17","type":"order.paid","total":4900}`)
	header, err := signer.Header(acme.Definition(), signer.Delivery{At: time.Now(), Body: body, Secrets: []string{secret}})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	promised := true
	for _, delivery := range []struct {
		name string
		body []byte
		want int
	}{
		{"a genuine delivery", body, http.StatusNoContent},
		{"one whose total was changed", bytes.Replace(body, []byte("4900"), []byte("1"), 1), http.StatusUnauthorized},
		{"the genuine one again", body, http.StatusConflict},
	} {
		status, err := post(server.URL, header, delivery.body)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("%d  %s\n", status, delivery.name)
		promised = promised && status == delivery.want
	}
	if !promised {
		os.Exit(1)
	}
}

// receive sees only what was verified.
func receive(w http.ResponseWriter, r *http.Request) {
	d, _ := verify.FromContext(r.Context())
	fmt.Printf("     the handler runs for %s of %s\n", d.ID, d.Provider)
	w.WriteHeader(http.StatusNoContent)
}

// post sends a delivery as the provider does, and returns the status of the response.
func post(url string, header http.Header, body []byte) (int, error) {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = header.Clone()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}
