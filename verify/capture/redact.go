package capture

import "strings"

// credentials are headers that hold a credential and do not say so in their last word.
var credentials = map[string]bool{
	"Aeg-Sas-Key":                true, // Azure Event Grid
	"Authentication":             true,
	"Cf-Webhook-Auth":            true, // Cloudflare's notifications
	"Fastly-Key":                 true,
	"Ocp-Apim-Subscription-Key":  true, // Azure API Management
	"X-Auth":                     true,
	"X-Auth-Key":                 true, // Cloudflare
	"X-Authentik-Jwt":            true,
	"X-Csrftoken":                true,
	"X-Forwarded-Client-Cert":    true, // Envoy
	"X-Functions-Key":            true, // Azure Functions
	"X-Honeycomb-Team":           true,
	"X-Rapidapi-Key":             true,
	"X-Vercel-Protection-Bypass": true,
	"X-Vercel-Sc-Headers":        true, // holds an Authorization
	"X-Zumo-Auth":                true, // Azure App Service
}

// last are the words at the end of names of headers that hold a credential: cookies,
// what an API gateway asks for, what an identity-aware proxy adds, and the secrets that
// a webhook shows instead of a signature (X-Gitlab-Token,
// X-Telegram-Bot-Api-Secret-Token), hands over (X-Hook-Secret) or once leaked
// (X-Github-Encoded-Secret). "Key" and "Jwt" alone are not here: X-Pusher-Key is an id,
// and MessageBird-Signature-JWT a signature.
var last = [...]string{
	"Authorization", "Cookie", "Token", "Secret", "Password", "Passcode",
	"Api-Key", "Apikey", "Access-Key", "Secret-Key", "Jwt-Assertion",
}

// first are the beginnings of names that clouds give to whole families of tokens.
var first = [...]string{"X-Amzn-Oidc-", "X-Ms-Token-"}

// signatures are the schemes of Authorization that sign the request: those of Microsoft
// Teams, of Sinch, and of HTTP signatures.
var signatures = [...]string{"HMAC ", "Application ", "Signature "}

// credential reports whether the header of the given canonical name must not be
// stored.
func credential(name string, values []string) bool {
	switch {
	case credentials[name]:
		return true
	case name == "Authorization":
		return !signed(values)
	case strings.HasSuffix(name, "-Idempotency-Token"):
		return false
	}
	for _, prefix := range first {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for _, word := range last {
		if rest, ok := strings.CutSuffix(name, word); ok && (rest == "" || rest[len(rest)-1] == '-') {
			return true
		}
	}
	return false
}

// signed reports whether each value is a signature of the request.
func signed(values []string) bool {
	for _, value := range values {
		found := false
		for _, scheme := range signatures {
			found = found || strings.HasPrefix(value, scheme)
		}
		if !found {
			return false
		}
	}
	return true
}
