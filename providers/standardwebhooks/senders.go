package standardwebhooks

import "github.com/hooknotary/hooknotary/verify"

// The senders, in the order of their names in the catalogue.
const (
	Anthropic    Sender = iota + 1 // Claude's platform
	Argil                          // webhook-… headers
	BigCommerce                    // the secret is the client secret of the app, as text
	Brex                           // webhook-… headers
	Clerk                          // svix-… headers
	DodoPayments                   // webhook-… headers
	Finch                          // the headers are Finch-…; the secret is base64 alone
	GitLab                         // a webhook with a signing token, and not with a secret token
	Goody                          // svix-… headers
	IncidentIO                     // svix-… or webhook-… headers
	Increase                       // webhook-… headers
	Lithic                         // webhook-… headers
	Loops                          // webhook-… headers
	Make                           // subscriptions to events of make.com
	OpenAI                         // webhook-… headers
	OpenMeter                      // svix-… headers
	Polar                          // the secret is text, whatever it begins with
	RecallAI                       // a workspace with a verification secret; older webhooks are Svix's
	Render                         // webhook-… headers
	Replicate                      // webhook-… headers
	Resend                         // svix-… headers
	Sardine                        // payments
	SignatureAPI                   // webhook-… headers
	SoharHealth                    // svix-… headers
	V1a                            // the asymmetric signatures of the specification, with public keys "whpk_…"
	Supabase                       // hooks of Auth over HTTP; the secret is "v1,whsec_…"
	Svix                           // any sender that uses Svix; svix-… or webhook-… headers

	end // behind the last one
)

// rows returns the table of senders.
func rows() [end]row {
	return [end]row{
		Anthropic: {
			name: "anthropic", title: "Anthropic",
			links: []string{
				"https://platform.claude.com/docs/en/managed-agents/webhooks",
				"https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/resources/beta/webhooks.py",
			},
			credentials: []verify.Credential{{Prefix: "sk-ant-", What: "an API key", Secret: true}},
		},
		Argil: {
			name: "argil", title: "Argil",
			links:      []string{"https://docs.argil.ai/v2/platform/webhooks"},
			notCovered: []string{"deliveries to a URL that one request named: those are not signed, and are refused"},
		},
		BigCommerce: {
			name: "bigcommerce", title: "BigCommerce", secret: text,
			links: []string{"https://github.com/bigcommerce/docs/blob/main/docs/integrations/webhooks/https-webhook-overview.mdx"},
			notCovered: []string{
				"the store: all stores of an app share its client secret, so look the store up by what the body says",
			},
		},
		Brex: {
			name: "brex", title: "Brex",
			links: []string{"https://developer.brex.com/docs/webhooks"},
		},
		Clerk: {
			name: "clerk", title: "Clerk", names: svixNames,
			links: []string{
				"https://clerk.com/docs/reference/backend/verify-webhook",
				"https://github.com/clerk/javascript/blob/main/packages/backend/src/webhooks.ts",
			},
			credentials: []verify.Credential{
				{Prefix: "sk_test_", What: "a secret key", Secret: true},
				{Prefix: "sk_live_", What: "a secret key", Secret: true},
				{Prefix: "pk_test_", What: "a publishable key"},
				{Prefix: "pk_live_", What: "a publishable key"},
			},
		},
		DodoPayments: {
			name: "dodopayments", title: "Dodo Payments",
			links: []string{"https://docs.dodopayments.com/developer-resources/webhooks"},
		},
		Finch: {
			name: "finch", title: "Finch", names: finchNames, secret: bare,
			links: []string{
				"https://github.com/Finch-API/finch-api-python/blob/main/src/finch/resources/webhooks.py",
			},
			outside: "a test of Finch-API/finch-api-python",
		},
		GitLab: {
			name: "gitlabsigning", title: "GitLab (signing token)", maxBody: 25 << 20, // what GitLab sends at most
			links: []string{
				"https://docs.gitlab.com/user/project/integrations/webhooks/",
				"https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944",
			},
			notCovered: []string{
				"the event (X-Gitlab-Event), the instance (X-Gitlab-Instance) and X-Gitlab-Token: the body names the event, too",
			},
			credentials: []verify.Credential{
				{Prefix: "glpat-", What: "a personal access token", Secret: true},
				{Prefix: "gldt-", What: "a deploy token", Secret: true},
				{Prefix: "glptt-", What: "a trigger token of a pipeline", Secret: true},
			},
		},
		Goody: {
			name: "goody", title: "Goody", names: svixNames,
			links: []string{"https://developer.ongoody.com/webhooks/webhook-security"},
		},
		IncidentIO: {
			name: "incidentio", title: "incident.io", names: eitherNames,
			links: []string{"https://docs.incident.io/integrations/webhooks"},
		},
		Increase: {
			name: "increase", title: "Increase",
			links: []string{
				"https://increase.com/documentation/webhooks",
				"https://github.com/Increase/increase-python/blob/main/README.md",
			},
		},
		Lithic: {
			name: "lithic", title: "Lithic",
			links:   []string{"https://github.com/lithic-com/lithic-python/blob/main/src/lithic/resources/webhooks.py"},
			outside: "a test of lithic-com/lithic-python",
		},
		Loops: {
			name: "loops", title: "Loops",
			links: []string{"https://loops.so/docs/webhooks"},
		},
		Make: {
			name: "makecom", title: "Make.com",
			links: []string{"https://developers.make.com/event-subscription/implementation/verify-signatures"},
			notCovered: []string{
				"the topic in the header Webhook-Topic",
			},
		},
		OpenAI: {
			name: "openai", title: "OpenAI", secret: prefixed, // its libraries take any other text for the key itself
			links: []string{
				"https://platform.openai.com/docs/guides/webhooks",
				"https://github.com/openai/openai-go/blob/main/webhooks/webhook_helpers.go",
			},
			credentials: []verify.Credential{{Prefix: "sk-", What: "an API key", Secret: true}},
			outside:     "a test of openai/openai-go",
		},
		OpenMeter: {
			name: "openmeter", title: "OpenMeter", names: svixNames,
			links: []string{"https://openmeter.io/docs/guides/webhooks"},
		},
		Polar: {
			name: "polar", title: "Polar", secret: text,
			links: []string{
				"https://docs.polar.sh/integrate/webhooks/delivery",
				"https://github.com/polarsource/polar-js/blob/main/src/webhooks.ts",
			},
			credentials: []verify.Credential{
				{Prefix: "polar_oat_", What: "an access token of an organization", Secret: true},
			},
		},
		RecallAI: {
			name: "recallai", title: "Recall.ai",
			links: []string{"https://docs.recall.ai/docs/authenticating-requests-from-recallai"},
		},
		Render: {
			name: "render", title: "Render",
			links: []string{
				"https://render.com/docs/webhooks",
				"https://github.com/render-examples/webhook-receiver/blob/main/app.ts",
			},
			credentials: []verify.Credential{{Prefix: "rnd_", What: "an API key", Secret: true}},
		},
		Replicate: {
			name: "replicate", title: "Replicate", maxBody: 4 << 20, // a prediction can hold files as data URLs
			links: []string{
				"https://replicate.com/docs/topics/webhooks/verify-webhook",
				"https://github.com/replicate/replicate-javascript/blob/main/lib/util.js",
			},
			notCovered: []string{
				"what the URL of the webhook says: name the prediction by the id in the body",
			},
			credentials: []verify.Credential{{Prefix: "r8_", What: "an API token", Secret: true}},
			outside:     "a test of replicate/replicate-javascript",
		},
		Resend: {
			name: "resend", title: "Resend", names: svixNames,
			links: []string{
				"https://resend.com/docs/webhooks/verify-webhooks-requests",
				"https://github.com/resend/resend-go/blob/main/webhooks.go",
			},
			credentials: []verify.Credential{{Prefix: "re_", What: "an API key", Secret: true}},
		},
		Sardine: {
			name: "sardine", title: "Sardine",
			links: []string{"https://docs.payments.sardine.ai/guides/integration/payments/nftCheckout/integrationGuide/webhook-support"},
		},
		SignatureAPI: {
			name: "signatureapi", title: "SignatureAPI",
			links: []string{"https://signatureapi.com/docs/api/guides/how-to/verify-webhooks"},
		},
		SoharHealth: {
			name: "soharhealth", title: "Sohar Health", names: svixNames,
			links: []string{"https://docs.soharhealth.com/documentation/webhooks/security"},
		},
		V1a: {
			name: "standardwebhooksv1a", title: "Standard Webhooks (v1a)", secret: public,
			links: []string{"https://www.standardwebhooks.com"},
		},
		Supabase: {
			name: "supabase", title: "Supabase Auth", secret: versioned,
			links: []string{
				"https://supabase.com/docs/guides/auth/auth-hooks",
				"https://supabase.com/docs/guides/auth/auth-hooks/send-sms-hook",
			},
			notCovered: []string{
				"webhooks of the database: those are not signed at all, and are refused",
			},
		},
		Svix: {
			name: "svix", title: "Svix", names: eitherNames,
			links:      []string{"https://docs.svix.com/receiving/verifying-payloads/how-manual"},
			notCovered: []string{"which customer of Svix sends: only the secret tells"},
			outside:    "the example of Svix's documentation",
		},
	}
}
