# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/wistia
first='{"hook":{"uuid":"d55b2eec"},"events":[{"uuid":"e1","type":"viewing_session.play","generated_at":"2026-03-14T09:26:51Z","payload":{"media":{"id":"m1"}}}]}'
second='{"hook":{"uuid":"d55b2eed"},"events":[{"uuid":"e2","type":"media.created","generated_at":"2026-03-14T09:27:51Z","payload":{"media":{"id":"m2"}}}]}'
signed() { cat "$body"; }
heads() { line X-Wistia-Signature "$sig"; }
flaws
