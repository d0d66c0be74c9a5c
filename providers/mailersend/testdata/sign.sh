# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/mailersend
first='{"type":"activity.sent","domain_id":"d1","created_at":"2026-03-14T09:26:51.062074Z","webhook_id":"w1","url":"https:\/\/hooks.example.com\/in","data":{"object":"activity","id":"a1","type":"sent"}}'
second='{"type":"activity.opened","domain_id":"d1","created_at":"2026-03-14T09:27:51.000000Z","webhook_id":"w1","url":"https:\/\/hooks.example.com\/in","data":{"object":"activity","id":"a2","type":"opened"}}'
signed() { cat "$body"; }
heads() { line Signature "$sig"; }
flaws
