// Code generated from the catalogue of providers and lookalikes.json; DO NOT EDIT.

package diagnose

import "github.com/hooknotary/hooknotary/verify"

// senders lists who is easily confused, and who is common. The look-alikes stand before
// those whose names they use, too.
var senders = [...]sender{
	{"forgejo", "Forgejo", []string{"X-Forgejo-Signature"}, "", ""},
	{"gitea", "Gitea", []string{"X-Gitea-Signature"}, "", ""},
	{"gogs", "Gogs", []string{"X-Gogs-Signature"}, "", ""},
	{"bitbucket", "Bitbucket or Jira", []string{"X-Hub-Signature"}, "sha256=", ""},
	{"dropbox", "Dropbox", []string{"X-Dropbox-Signature"}, "", ""},
	{"github", "GitHub, or a provider that signs alike", []string{"X-Hub-Signature-256"}, "", ""},
	{"paypal", "PayPal", []string{"Paypal-Transmission-Sig", "Paypal-Cert-Url"}, "", "-"},
	{"razorpay", "Razorpay", []string{"X-Razorpay-Signature"}, "", ""},
	{"sentry", "Sentry", []string{"Sentry-Hook-Signature", "Sentry-Hook-Resource"}, "", ""},
	{"shopify", "Shopify", []string{"X-Shopify-Hmac-Sha256", "Shopify-Hmac-Sha256"}, "", ""},
	{"slack", "Slack", []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}, "", "v0:{X-Slack-Request-Timestamp}:"},
	{"stripe", "Stripe", []string{"Stripe-Signature"}, "", "{=t}."},
	{"typeform", "Typeform", []string{"Typeform-Signature"}, "", ""},
	{"vercel", "Vercel", []string{"X-Vercel-Signature"}, "", ""},
	{"woocommerce", "WooCommerce", []string{"X-Wc-Webhook-Signature"}, "", ""},
	{"svix", "Svix", []string{"Svix-Signature", "Svix-Id"}, "", "{Svix-Id}.{Svix-Timestamp}."},
	{"standardwebhooks", "a provider of Standard Webhooks", []string{"Webhook-Signature", "Webhook-Id"}, "", "{Webhook-Id}.{Webhook-Timestamp}."},
	{"twilio", "Twilio", []string{"X-Twilio-Signature"}, "", "-"},
	{"paddle", "Paddle", []string{"Paddle-Signature"}, "", "{=ts}:"},
	{"gitlab", "GitLab", []string{"X-Gitlab-Token", "X-Gitlab-Event"}, "", "-"},
	{"zoom", "Zoom", []string{"X-Zm-Signature"}, "", "v0:{X-Zm-Request-Timestamp}:"},
	{"linear", "Linear", []string{"Linear-Signature"}, "", ""},
	{"line", "LINE", []string{"X-Line-Signature"}, "", ""},
	{"hubspot", "HubSpot", []string{"X-Hubspot-Signature-V3", "X-Hubspot-Signature"}, "", "-"},
	{"square", "Square", []string{"X-Square-Hmacsha256-Signature"}, "", "-"},
	{"twitch", "Twitch", []string{"Twitch-Eventsub-Message-Signature"}, "", "{Twitch-Eventsub-Message-Id}{Twitch-Eventsub-Message-Timestamp}"},
	{"discord", "Discord", []string{"X-Signature-Ed25519"}, "", "-"},
	{"sendgrid", "SendGrid", []string{"X-Twilio-Email-Event-Webhook-Signature"}, "", "-"},
	{"", "Amazon SNS", []string{"X-Amz-Sns-Message-Id"}, "", "-"},
}

// aliases are headers that two schemes call differently, and else write alike.
var aliases = [...]alias{
	{"Svix-", "Webhook-", "", "Svix"},
	{"Webhook-", "Svix-", "", "a provider of Standard Webhooks"},
	{"Shopify-", "X-Shopify-", "", "the new kind of Shopify's webhooks (events)"},
	{"X-Hub-Signature", "X-Hub-Signature-256", "sha256=", "Bitbucket or Jira"},
}

// credentials are how API keys, and other things that are no signing secret, begin.
var credentials = [...]verify.Credential{
	{Prefix: "-----BEGIN ", Length: 0},
	{Prefix: "A", Length: 80},
	{Prefix: "AKIA", Length: 0},
	{Prefix: "E", Length: 80},
	{Prefix: "SG.", Length: 0},
	{Prefix: "access_token$", Length: 0},
	{Prefix: "acct_", Length: 0},
	{Prefix: "ck_", Length: 0},
	{Prefix: "cs_", Length: 0},
	{Prefix: "eyJ", Length: 0},
	{Prefix: "gho_", Length: 0},
	{Prefix: "ghp_", Length: 0},
	{Prefix: "ghr_", Length: 0},
	{Prefix: "ghs_", Length: 0},
	{Prefix: "ghu_", Length: 0},
	{Prefix: "github_pat_", Length: 0},
	{Prefix: "glpat-", Length: 0},
	{Prefix: "pdl_live_apikey_", Length: 0},
	{Prefix: "pdl_sdbx_apikey_", Length: 0},
	{Prefix: "pk_", Length: 0},
	{Prefix: "rk_", Length: 0},
	{Prefix: "rzp_live_", Length: 0},
	{Prefix: "rzp_test_", Length: 0},
	{Prefix: "shpat_", Length: 0},
	{Prefix: "shpca_", Length: 0},
	{Prefix: "shppa_", Length: 0},
	{Prefix: "sk_", Length: 0},
	{Prefix: "we_", Length: 0},
	{Prefix: "xapp-", Length: 0},
	{Prefix: "xoxb-", Length: 0},
	{Prefix: "xoxe-", Length: 0},
	{Prefix: "xoxe.xoxb-", Length: 0},
	{Prefix: "xoxe.xoxp-", Length: 0},
	{Prefix: "xoxp-", Length: 0},
}

// styles says how the providers that are known write JSON.
var styles = map[string]verify.JSONStyle{
	"bitbucket":   {Space: "", First: []string(nil), Sorted: false},
	"dropbox":     {Space: "", First: []string(nil), Sorted: false},
	"github":      {Space: "compact", First: []string(nil), Sorted: false},
	"meta":        {Space: "", First: []string(nil), Sorted: false},
	"paypal":      {Space: "compact", First: []string(nil), Sorted: false},
	"razorpay":    {Space: "", First: []string(nil), Sorted: false},
	"sentry":      {Space: "", First: []string(nil), Sorted: false},
	"shopify":     {Space: "", First: []string(nil), Sorted: false},
	"slack":       {Space: "compact", First: []string(nil), Sorted: false},
	"stripe":      {Space: "indented", First: []string{"id", "object"}, Sorted: true},
	"typeform":    {Space: "", First: []string(nil), Sorted: false},
	"vercel":      {Space: "", First: []string(nil), Sorted: false},
	"woocommerce": {Space: "", First: []string(nil), Sorted: false},
}
