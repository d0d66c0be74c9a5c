# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/notion
first='{"id":"367cba44-b6f3-4c92-81e7-6a2e9659efd4","timestamp":"2026-03-14T09:26:51.000Z","workspace_id":"13950b26","subscription_id":"29d75c0d","type":"page.created","entity":{"id":"153104cd","type":"page"},"attempt_number":1}'
second='{"id":"478dcb55-c704-5da3-92f8-7b3f0760f0e5","timestamp":"2026-03-14T09:27:51.000Z","workspace_id":"13950b26","subscription_id":"29d75c0d","type":"page.deleted","entity":{"id":"153104cd","type":"page"},"attempt_number":1}'
first_id=367cba44-b6f3-4c92-81e7-6a2e9659efd4
second_id=478dcb55-c704-5da3-92f8-7b3f0760f0e5
signed() { cat "$body"; }
heads() { line X-Notion-Signature "sha256=$sig"; }
flaws
