# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/snyk
first='{"webhookId":"d3cf26b3","org":{"id":"o1","name":"acme"},"project":{"id":"p1","name":"acme/site","imageTag":"1.2.3"},"newIssues":[{"id":"SNYK-1","issueType":"vuln"}],"removedIssues":[]}'
second='{"webhookId":"d3cf26b3","org":{"id":"o1","name":"acme"},"project":{"id":"p1","name":"acme/site","imageTag":"1.2.4"},"newIssues":[],"removedIssues":[{"id":"SNYK-1","issueType":"vuln"}]}'
signed() { cat "$body"; }
heads() {
	line X-Hub-Signature "sha256=$sig"
	line X-Snyk-Event "project_snapshot/v0"
	line X-Snyk-Transport-ID "711f0f2c"
	line X-Snyk-Timestamp "2026-03-14T09:26:51Z"
}
flaws
