package githubevent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/google/go-github/v60/github"

	"github.com/hooknotary/hooknotary/providers/github"
	"github.com/hooknotary/hooknotary/providers/github/githubevent"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/providertest/vector"
	"github.com/hooknotary/hooknotary/verify"
)

const secret = "It's a Secret to Everybody"

// notByWebhook is an event that go-github lists and GitHub never delivers.
const notByWebhook = "pull_request_target"

// delivery returns the verified delivery of a body under a name.
func delivery(name string, body []byte) *verify.Delivery {
	return &verify.Delivery{Provider: "github", Body: body, Unsigned: verify.Unsigned{Type: name}}
}

// form returns a body as GitHub sends it to a hook for forms.
func form(body []byte) []byte { return []byte("payload=" + url.QueryEscape(string(body))) }

func TestParse(t *testing.T) {
	t.Run("a delivery is verified and parsed", func(t *testing.T) {
		for name, bodies := range samples {
			for i, text := range bodies {
				for _, isForm := range []bool{false, true} {
					body := sample(text)
					v, err := github.New(verify.Secrets(secret), &github.Options{Form: isForm})
					if err != nil {
						t.Fatal(err)
					}
					if isForm {
						body = form(body)
					}
					d, err := verify.Verify(context.Background(), v, &verify.Head{
						Header: githubtest.Header(name, body, secret), ReceivedAt: time.Now(),
					}, body)
					if err != nil {
						t.Fatal(err)
					}
					event, err := githubevent.Parse(d)
					if err != nil {
						t.Errorf("%s, body %d, form %v: %v", name, i, isForm, err)
						continue
					}
					if want := reflect.TypeOf(sdk.EventForType(name)); reflect.TypeOf(event) != want {
						t.Errorf("%s is a %T, want a %v", name, event, want)
					}
					want, err := sdk.ParseWebHook(name, sample(text))
					if err != nil || !reflect.DeepEqual(event, want) {
						t.Errorf("%s, body %d, form %v: the event is not go-github's (%v)", name, i, isForm, err)
					}
				}
			}
		}
	})

	t.Run("each action of an event is parsed and no other", func(t *testing.T) {
		for name, known := range actions {
			own := regexp.MustCompile(`"action":"\w+"`)
			for _, action := range strings.Fields(known) {
				body := own.ReplaceAll(sample(samples[name][0]), []byte(`"action":"`+action+`"`))
				if _, err := githubevent.Parse(delivery(name, body)); err != nil {
					t.Errorf("%s, %s: %v", name, action, err)
				}
			}
			for _, other := range []string{`"action":"enabled"`, `"action":""`, `"action":null`, `"number":1`} {
				body := own.ReplaceAll(sample(samples[name][0]), []byte(other))
				if _, err := githubevent.Parse(delivery(name, body)); !errors.Is(err, githubevent.ErrWrongEvent) {
					t.Errorf("%s with %s: %v", name, other, err)
				}
			}
		}
	})

	t.Run("what is wrong is refused", func(t *testing.T) {
		star := string(sample(samples["star"][0]))
		for _, tt := range []struct {
			name, event, body string
			want              error
		}{
			{"an event without a name", "", star, githubevent.ErrUnknownEvent},
			{"an event that go-github does not know", "sponsorship", string(sample(strangers["sponsorship"])), githubevent.ErrUnknownEvent},
			{"an event that this package knows and go-github does not", "deployment_review", string(sample(strangers["deployment_review"])), githubevent.ErrUnknownEvent},
			{"a name in upper case", "STAR", star, githubevent.ErrUnknownEvent},
			{"the name of a type", "StarEvent", star, githubevent.ErrUnknownEvent},
			{"the name of another event", "repository", star, githubevent.ErrWrongEvent},
			{"an object without members", "star", `{}`, githubevent.ErrWrongEvent},
			{"a member in another case", "star", strings.Replace(star, `"starred_at"`, `"Starred_At"`, 1), githubevent.ErrPayload},
			{"a member in letters that fold to it", "star", strings.Replace(star, `"starred_at"`, `"ſtarred_at"`, 1), githubevent.ErrPayload},
			{"a member twice", "star", strings.Replace(star, `{`, `{"action":"deleted",`, 1), githubevent.ErrPayload},
			{"a member with a dot", "star", strings.Replace(star, `{`, `{"alert.dependency":1,`, 1), githubevent.ErrPayload},
			{"an action that is no text", "star", strings.Replace(star, `"created"`, `["created"]`, 1), githubevent.ErrPayload},
			{"an action that is a number, of an event without one", "create", strings.Replace(string(sample(samples["create"][0])), "{", `{"action":7,`, 1), githubevent.ErrPayload},
			{"a number that does not fit", "star", strings.Replace(star, `"login":"octocat"`, `"id":7.31337`, 1), githubevent.ErrUnreadable},
			{"a sender that is no object", "star", strings.Replace(star, `{"login":"octocat"}`, `"octocat"`, 1), githubevent.ErrUnreadable},
			{"null, which go-github reads as no event", "star", `null`, githubevent.ErrPayload},
			{"a list", "star", `[` + star + `]`, githubevent.ErrPayload},
			{"an empty body", "star", ``, githubevent.ErrPayload},
			{"a broken body", "star", star[:len(star)-1], githubevent.ErrPayload},
			{"something behind the body", "star", star + `{}`, githubevent.ErrPayload},
			{"a form with another field", "star", string(form([]byte(star))) + "&a=b", githubevent.ErrPayload},
			{"a form with two payloads", "star", string(form([]byte(star))) + "&payload=" + url.QueryEscape(star), githubevent.ErrPayload},
			{"a form with a broken escape", "star", string(form([]byte(star))) + "%zz", githubevent.ErrPayload},
			{"a form with an empty payload", "star", "payload=", githubevent.ErrPayload},
		} {
			t.Run(tt.name, func(t *testing.T) {
				event, err := githubevent.Parse(delivery(tt.event, []byte(tt.body)))
				if !errors.Is(err, tt.want) || event != nil {
					t.Fatalf("event is %T, error %v, want %v", event, err, tt.want)
				}
				for _, text := range []string{"octocat", "created", "31337"} {
					if strings.Contains(err.Error(), text) {
						t.Errorf("error quotes the body: %v", err)
					}
				}
			})
		}
		for _, body := range []string{star, string(form([]byte(star)))} {
			if _, err := githubevent.Parse(delivery("star", []byte(body))); err != nil {
				t.Errorf("the same, unchanged: %v", err)
			}
		}
	})

	t.Run("only a delivery of GitHub is parsed", func(t *testing.T) {
		d := delivery("star", sample(samples["star"][0]))
		if _, err := githubevent.Parse(d); err != nil {
			t.Fatal(err)
		}
		d.Provider = "gitea"
		for _, d := range []*verify.Delivery{nil, {}, d} {
			if event, err := githubevent.Parse(d); !errors.Is(err, githubevent.ErrNoDelivery) || event != nil {
				t.Errorf("event is %T, error %v", event, err)
			}
		}
	})

	// A JSON body that holds a form stays JSON.
	t.Run("the content type chooses no parser", func(t *testing.T) {
		body := sample(`{"action":"opened","issue":{"number":7,"title":"a &payload=%7B%22action%22%3A%22forged%22%7D& b"},R,S}`)
		event, err := githubevent.Parse(delivery("issues", body))
		if err != nil {
			t.Fatal(err)
		}
		if e := event.(*githubevent.IssuesEvent); e.GetAction() != "opened" || e.GetIssue().GetNumber() != 7 {
			t.Errorf("event is %s of issue %d", e.GetAction(), e.GetIssue().GetNumber())
		}
	})
}

func TestShape(t *testing.T) {
	// Go-github reads each of these pairs
	// without an error.
	t.Run("no body passes under the name of another event", func(t *testing.T) {
		bodies := maps.Clone(samples)
		for name, text := range strangers {
			bodies[name] = []string{text}
		}
		for own, texts := range bodies {
			for i, text := range texts {
				for _, name := range sdk.MessageTypes() {
					if name == own {
						continue
					}
					event, err := githubevent.Parse(delivery(name, sample(text)))
					want := githubevent.ErrWrongEvent
					if name == notByWebhook {
						want = githubevent.ErrUnknownEvent
					}
					if !errors.Is(err, want) || event != nil {
						t.Errorf("body %d of %s, named %s: event %T, error %v, want %v", i, own, name, event, err, want)
					}
				}
			}
		}
	})

	// Looks at the shapes alone: whatever a body holds.
	t.Run("no body fits two shapes", func(t *testing.T) {
		names := githubevent.Shapes()
		for i, a := range names {
			for _, b := range names[:i] {
				if !githubevent.Disjoint(a, b) {
					t.Errorf("a body can be of %s and of %s", a, b)
				}
			}
		}
	})

	t.Run("each event of the SDK has a shape, a sample and an alias", func(t *testing.T) {
		file, err := parser.ParseFile(token.NewFileSet(), "types.go", nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		aliases := make(map[string]bool)
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Assign.IsValid() {
				aliases[spec.Name.Name] = spec.Name.Name == spec.Type.(*ast.SelectorExpr).Sel.Name
			}
			return true
		})
		known := sdk.MessageTypes()
		for _, name := range known {
			if name == notByWebhook {
				continue
			}
			if !slices.Contains(githubevent.Shapes(), name) || len(samples[name]) == 0 {
				t.Errorf("%s has no shape or no sample", name)
			}
			if alias := reflect.TypeOf(sdk.EventForType(name)).Elem().Name(); !aliases[alias] {
				t.Errorf("%s has no alias", alias)
			}
		}
		if len(samples) != len(known)-1 || len(aliases) != len(known)-1 {
			t.Errorf("there are %d samples and %d aliases for %d events", len(samples), len(aliases), len(known)-1)
		}
	})

	// go-github v60 takes all values for texts.
	t.Run("properties that are lists are left out", func(t *testing.T) {
		body := `{"issue":{"number":7},"action":"opened","repository":{"id":1,"name":"shop","custom_properties":{"tier":"gold","teams":["a","b"],"none":null}},"sender":{"login":"octocat"}}`
		event, err := githubevent.Parse(delivery("issues", []byte(body)))
		issue, ok := event.(*githubevent.IssuesEvent)
		if err != nil || !ok {
			t.Fatalf("Parse = %T, %v", event, err)
		}
		if r := issue.GetRepo(); r.GetName() != "shop" || issue.GetIssue().GetNumber() != 7 {
			t.Errorf("repository %v, issue %v", r.GetName(), issue.GetIssue().GetNumber())
		} else if r.CustomProperties["tier"] != "gold" || len(r.CustomProperties) > 2 {
			t.Errorf("custom properties %v", r.CustomProperties)
		}
		broken := strings.Replace(body, `"id":1`, `"id":"1"`, 1)
		if _, err := githubevent.Parse(delivery("issues", []byte(broken))); !errors.Is(err, githubevent.ErrUnreadable) {
			t.Errorf("with another fault: %v", err)
		}
	})

	// Has members without which no known event would be mistaken for the one that is
	// named, but an event to come might be.
	t.Run("a body needs all that its event has", func(t *testing.T) {
		for name, members := range map[string]string{
			"code_scanning_alert":            "rule",
			"create":                         "ref",
			"delete":                         "ref",
			"dependabot_alert":               "dependency",
			"deployment_protection_rule":     "environment",
			"github_app_authorization":       "sender",
			"installation_repositories":      "repositories_added repositories_removed",
			"installation_target":            "account target_type",
			"membership":                     "scope",
			"ping":                           "zen",
			"public":                         "repository",
			"push":                           "after before commits pusher ref",
			"repository_dispatch":            "branch client_payload",
			"repository_import":              "repository status",
			"repository_vulnerability_alert": "affected_package_name",
			"secret_scanning_alert":          "secret_type",
			"star":                           "repository",
			"status":                         "commit sha state",
			"team_add":                       "repository",
			"watch":                          "repository",
			"workflow_dispatch":              "inputs ref workflow",
		} {
			for _, member := range strings.Fields(members) {
				body := sample(samples[name][0])
				without := bytes.Replace(body, []byte(`"`+member+`"`), []byte(`"enterprise"`), 1)
				if _, err := githubevent.Parse(delivery(name, without)); bytes.Equal(body, without) || !errors.Is(err, githubevent.ErrWrongEvent) {
					t.Errorf("%s without %s: %v", name, member, err)
				}
			}
		}
	})
}

// TestPublishedVectors parses deliveries that nobody of this project wrote.
func TestPublishedVectors(t *testing.T) {
	parsed := make(map[string]int)
	for _, tt := range vector.LoadPublished(t, 20, "core/github/*.json", "core/derived/github-*.json") {
		name := tt.Head.Header.Get("X-Github-Event")
		event, err := githubevent.Parse(delivery(name, tt.Body))
		var members map[string]json.RawMessage
		switch {
		case len(tt.Body) > 1000 || name == "issues":
			if err != nil {
				t.Errorf("%s: %v", tt.Name, err)
				continue
			}
			parsed[name]++
			for _, other := range sdk.MessageTypes() {
				if _, err := githubevent.Parse(delivery(other, tt.Body)); other != name && err == nil {
					t.Errorf("%s is parsed as %s", tt.Name, other)
				}
			}
		case json.Unmarshal(tt.Body, &members) == nil:
			if !errors.Is(err, githubevent.ErrWrongEvent) {
				t.Errorf("%s: event is %T, error %v, want ErrWrongEvent: %s is no event", tt.Name, event, err, tt.Body)
			}
		case err == nil:
			t.Errorf("%s: event is %T: %s is not JSON", tt.Name, event, tt.Body)
		}
	}
	if parsed["ping"] < 1 || parsed["push"] < 2 || parsed["issues"] < 1 {
		t.Errorf("parsed are %v", parsed)
	}
}
