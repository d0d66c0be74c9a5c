# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/gocardless
first='{"events":[{"id":"EV00A1","created_at":"2026-03-14T09:26:51.404Z","resource_type":"payments","action":"confirmed","links":{"payment":"PM00B2"}}],"meta":{"webhook_id":"WB00C3"}}'
second='{"events":[{"id":"EV00A2","created_at":"2026-03-14T09:27:02.101Z","resource_type":"mandates","action":"cancelled","links":{"mandate":"MD00D4"}}],"meta":{"webhook_id":"WB00C4"}}'
signed() { cat "$body"; }
heads() { line Webhook-Signature "$sig"; }
flaws
