# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/jira
first='{"timestamp":1773480411000,"webhookEvent":"jira:issue_created","issue":{"id":"10001","key":"ACME-7","fields":{"summary":"A button is too small"}},"user":{"displayName":"Jo"}}'
second='{"timestamp":1773480471000,"webhookEvent":"jira:issue_updated","issue":{"id":"10001","key":"ACME-7","fields":{"summary":"A button was too small"}},"user":{"displayName":"Al"}}'
signed() { cat "$body"; }
heads() {
	line X-Hub-Signature "sha256=$sig"
	line X-Atlassian-Webhook-Identifier "3d2f4d6f-9a0b-7a1d-5f0e-9c213b6c1b53"
}
flaws
