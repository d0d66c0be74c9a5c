# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/cursor
first='{"event":"statusChange","timestamp":"2026-03-14T09:26:51Z","id":"bc_abc123","status":"FINISHED","source":{"repository":"https://git.example.com/acme/site","ref":"main"},"summary":"Added README.md"}'
second='{"event":"statusChange","timestamp":"2026-03-14T09:27:51Z","id":"bc_abc124","status":"ERROR","source":{"repository":"https://git.example.com/acme/site","ref":"main"}}'
signed() { cat "$body"; }
heads() {
	line X-Webhook-Signature "sha256=$sig"
	line X-Webhook-ID "3b6c1b53"
	line X-Webhook-Event "statusChange"
}
flaws
