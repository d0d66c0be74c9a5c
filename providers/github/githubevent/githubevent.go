// Package githubevent turns verified deliveries of GitHub into the event types of
// go-github v60.
//
//	guard := middleware.Protect(github.Must(os.Getenv("GITHUB_WEBHOOK_SECRET")))
//	mux.Handle("POST /hooks/github", guard(githubevent.Handler(func(ctx context.Context, event any) error {
//		switch e := event.(type) {
//		case *githubevent.PushEvent:
//			return build(ctx, e)
//		}
//		return nil
//	})))
//
// The types are aliases of go-github's, so a program need not import two packages
// called github. [Parse] is for a handler of its own and for queues.
//
// # The name of an event is not signed
//
// GitHub says in the header X-GitHub-Event what a delivery is about, and signs the
// body alone. Whoever replays a body, or stands in between, can give it another
// name, and go-github reads any body into any type: the fields that fit are filled,
// the others stay empty. A "star" would become a "repository", both of which can
// have the action "deleted".
//
// So the name must fit the shape of the body, which is signed. For each event that
// go-github knows this package has a shape: which members of the body it has, which
// of other events' it cannot have, and, where that is not enough, which actions. No
// body fits the shapes of two events, so a delivery that is parsed has its one type,
// whatever the header said. The shapes stand in shape.go.
//
// Two limits. An event that GitHub adds later can have all members of one that is
// listed, and would then pass under its name. And a member that GitHub adds to an
// event, under the name that tells another event, makes it refused: that is
// [ErrWrongEvent] for a genuine delivery, and asks for a newer version of this
// package. pull_request_target, which go-github lists, is refused: it exists in
// GitHub Actions only, and its body is that of a pull_request.
//
// # What an error does
//
// The handlers respond with 204 when the function returns nil, and 500 when it returns an
// error, when the body or its name is refused, and when there is no delivery,
// because no guard verified one. The error is logged and never sent.
//
// A guard then releases the delivery. That matters for names: if an unknown or
// false name were answered with 2xx, then whoever gets a body in first under such a
// name would have used up its one run. So subscribe a hook to events that its
// handler knows, and not to all. GitHub does not retry: redeliver by hand.
//
// # JSON and forms
//
// A delivery is JSON or a form with the JSON in its field "payload", as the hook is
// configured. Which of them a body is shows in its first bytes. The Content-Type,
// which is not signed, is not asked.
//
// Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads.
package githubevent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/google/go-github/v60/github"

	"github.com/hooknotary/hooknotary/providers/internal/typed"
	"github.com/hooknotary/hooknotary/verify"
)

// The errors of Parse. None holds anything of the body.
var (
	// ErrNoDelivery: there is no delivery of GitHub, so nothing is verified.
	ErrNoDelivery = errors.New("githubevent: no verified delivery of GitHub: does a guard stand in front?")
	// ErrPayload: the body is not a JSON object, nor a form with one.
	ErrPayload = errors.New("githubevent: the body is not an event")
	// ErrUnknownEvent: the delivery has no name, or one that go-github does not
	// know.
	ErrUnknownEvent = errors.New("githubevent: the event is unknown")
	// ErrUnreadable: the body has the shape of its event, but go-github v60 has
	// another type for one of its members. Known are the metadata of a package's
	// version. Read the body without go-github.
	ErrUnreadable = errors.New("githubevent: go-github cannot read the event")
	// ErrWrongEvent: the body is not of the event that the delivery is named
	// after.
	ErrWrongEvent = errors.New("githubevent: the body does not look like the named event")
)

// wrongEvent is ErrWrongEvent with what is wrong.
type wrongEvent struct{ name, why string }

func (e *wrongEvent) Error() string {
	return fmt.Sprintf("githubevent: the body does not look like a %q event: %s", e.name, e.why)
}

func (e *wrongEvent) Unwrap() error { return ErrWrongEvent }

// Parse returns the event in d: a pointer to one of the types of this
// package, such as *PushEvent. Its type is d.Unsigned.Type, which the body confirms.
//
// Custom properties of the repository whose value is a list are left out where
// go-github v60 has no room for them.
//
// The error wraps ErrNoDelivery, ErrPayload, ErrUnknownEvent, ErrWrongEvent or
// ErrUnreadable.
func Parse(d *verify.Delivery) (any, error) {
	if d == nil || d.Provider != "github" {
		return nil, ErrNoDelivery
	}
	name := d.Unsigned.Type
	if github.EventForType(name) == nil {
		return nil, ErrUnknownEvent
	}
	want, ok := shapes()[name]
	if !ok {
		return nil, ErrUnknownEvent
	}
	text, err := payload(d.Body)
	if err != nil {
		return nil, err
	}
	members, err := membersOf(text)
	if err != nil {
		return nil, err
	}
	if why := want.misfit(members); why != "" {
		return nil, &wrongEvent{name, why}
	}
	event, err := github.ParseWebHook(name, text)
	if err != nil {
		event, err = github.ParseWebHook(name, withoutLists(text))
	}
	switch { // the error would quote the body
	case err != nil && !json.Valid(text):
		return nil, fmt.Errorf("%w: it is not JSON", ErrPayload)
	case err != nil:
		return nil, fmt.Errorf("%w: it is named %q", ErrUnreadable, name)
	}
	return event, nil
}

// withoutLists returns a payload without those custom properties of its repository
// that are lists: go-github v60 takes them for texts, and fails.
func withoutLists(text []byte) []byte {
	var payload, repository, properties map[string]json.RawMessage
	if json.Unmarshal(text, &payload) != nil || json.Unmarshal(payload["repository"], &repository) != nil ||
		json.Unmarshal(repository["custom_properties"], &properties) != nil {
		return text
	}
	maps.DeleteFunc(properties, func(_ string, value json.RawMessage) bool { return value[0] == '[' })
	// What was read can be written.
	repository["custom_properties"], _ = json.Marshal(properties)
	payload["repository"], _ = json.Marshal(repository)
	text, _ = json.Marshal(payload)
	return text
}

// payload returns the JSON of a body. A form starts with "payload=", which no JSON
// does, and has no other field.
func payload(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte("payload=")) {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) != 1 || len(form["payload"]) != 1 {
		return nil, fmt.Errorf("%w: the form is broken or has other fields", ErrPayload)
	}
	return []byte(form["payload"][0]), nil
}

// Handler returns a handler that parses what a guard in front of it verified, and
// calls f with a pointer to one of the types of this package. The context is the
// request's, so verify.FromContext works in f. See the package comment for its
// responses. It panics if f is nil.
func Handler(f func(ctx context.Context, event any) error) http.Handler {
	return typed.HTTP(Parse, f)
}

// EchoHandler is Handler for echo v4 and v5, behind echomw. C is echo.Context, or
// *echo.Context in v5; this package does not import echo.
//
//	e.POST("/hooks/github", githubevent.EchoHandler[echo.Context](f), echomw.Protect(v))
//
// An error of f is returned, and echo's HTTPErrorHandler answers it.
func EchoHandler[C interface {
	Request() *http.Request
	NoContent(status int) error
}](f func(ctx context.Context, event any) error) func(C) error {
	return typed.Echo[C](Parse, f)
}
