package diagnose

import (
	"net/http"
	"slices"
	"strings"
)

// sender is what tells a provider, or a family of providers, by the headers of its
// deliveries.
type sender struct {
	provider string // as a verifier's Profile calls it; may be empty
	name     string
	headers  []string // canonical; the signature's first; each of them tells
	// before is what is signed in front of the body, with {Header} for a value and
	// {=name} for an item of the signature's header. It is "-" where the signature is
	// no HMAC over something that ends in the body.
	before string
}

// senders lists who is easily confused, and who is common. The look-alikes stand before
// those whose names they use, too.
var senders = [...]sender{
	{"", "Forgejo", []string{"X-Forgejo-Signature"}, ""},
	{"", "Gitea", []string{"X-Gitea-Signature"}, ""},
	{"", "Gogs", []string{"X-Gogs-Signature"}, ""},
	{"stripe", "Stripe", []string{"Stripe-Signature"}, "{=t}."},
	{"paypal", "PayPal", []string{"Paypal-Transmission-Sig", "Paypal-Cert-Url"}, "-"},
	{"github", "GitHub, or a provider that signs alike", []string{"X-Hub-Signature-256"}, ""},
	{"", "Bitbucket or Jira", []string{"X-Hub-Signature"}, ""},
	{"svix", "Svix", []string{"Svix-Signature", "Svix-Id"}, "{Svix-Id}.{Svix-Timestamp}."},
	{"standardwebhooks", "a provider of Standard Webhooks", []string{"Webhook-Signature", "Webhook-Id"}, "{Webhook-Id}.{Webhook-Timestamp}."},
	{"slack", "Slack", []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}, "v0:{X-Slack-Request-Timestamp}:"},
	{"shopify", "Shopify", []string{"X-Shopify-Hmac-Sha256", "Shopify-Hmac-Sha256"}, ""},
	{"twilio", "Twilio", []string{"X-Twilio-Signature"}, "-"},
	{"paddle", "Paddle", []string{"Paddle-Signature"}, "{=ts}:"},
	{"gitlab", "GitLab", []string{"X-Gitlab-Token", "X-Gitlab-Event"}, "-"},
	{"zoom", "Zoom", []string{"X-Zm-Signature"}, "v0:{X-Zm-Request-Timestamp}:"},
	{"linear", "Linear", []string{"Linear-Signature"}, ""},
	{"line", "LINE", []string{"X-Line-Signature"}, ""},
	{"hubspot", "HubSpot", []string{"X-Hubspot-Signature-V3", "X-Hubspot-Signature"}, "-"},
	{"square", "Square", []string{"X-Square-Hmacsha256-Signature"}, "-"},
	{"woocommerce", "WooCommerce", []string{"X-Wc-Webhook-Signature"}, ""},
	{"razorpay", "Razorpay", []string{"X-Razorpay-Signature"}, ""},
	{"twitch", "Twitch", []string{"Twitch-Eventsub-Message-Signature"}, "{Twitch-Eventsub-Message-Id}{Twitch-Eventsub-Message-Timestamp}"},
	{"discord", "Discord", []string{"X-Signature-Ed25519"}, "-"},
	{"sendgrid", "SendGrid", []string{"X-Twilio-Email-Event-Webhook-Signature"}, "-"},
	{"vercel", "Vercel", []string{"X-Vercel-Signature"}, ""},
	{"", "Amazon SNS", []string{"X-Amz-Sns-Message-Id"}, "-"},
}

// signs reports whether the sender's headers are there, and are none of those that the
// verifier itself reads.
func (s *sender) signs(h http.Header, provider string, own []string) bool {
	if s.provider != "" && s.provider == provider {
		return false
	}
	there := false
	for _, name := range s.headers {
		if slices.Contains(own, name) {
			return false
		}
		there = there || len(h[name]) > 0
	}
	if s.headers[0] == "X-Hub-Signature" { // GitHub's own weak signature has this name, too
		return there && strings.HasPrefix(h.Get("X-Hub-Signature"), "sha256=")
	}
	return there
}

// prefix returns what the sender signs in front of the body.
func (s *sender) prefix(h http.Header) (string, bool) {
	var b strings.Builder
	for rest := s.before; ; {
		text, after, ok := strings.Cut(rest, "{")
		b.WriteString(text)
		if !ok {
			return b.String(), s.before != "-"
		}
		name, behind, _ := strings.Cut(after, "}")
		value := h.Get(name)
		if field, ok := strings.CutPrefix(name, "="); ok {
			value = itemOf(h.Get(s.headers[0]), field+"=")
		}
		if value == "" {
			return "", false
		}
		b.WriteString(value)
		rest = behind
	}
}

// itemOf returns the value of the item of a list that starts so.
func itemOf(list, start string) string {
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' }) {
		if value, ok := strings.CutPrefix(item, start); ok {
			return value
		}
	}
	return ""
}

// aliases are headers that two schemes call differently, and else write alike.
var aliases = [...]struct {
	from, to string // beginnings of names
	value    string // beginning of the value
	name     string // of who uses the first one
}{
	{"Svix-", "Webhook-", "", "Svix"},
	{"Webhook-", "Svix-", "", "a provider of Standard Webhooks"},
	{"X-Hub-Signature", "X-Hub-Signature-256", "sha256=", "Bitbucket or Jira"},
}
