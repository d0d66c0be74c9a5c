# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/terraform
first='{"payload_version":1,"notification_configuration_id":"nc-AeUQ2zfKZzW9TiGZ","run_id":"run-FwnENkvDnrpyFC7M","workspace_name":"acme","notifications":[{"message":"Run Planned","trigger":"run:needs_attention","run_status":"planned","run_updated_at":"2026-03-14T09:26:51.000Z"}]}'
second='{"payload_version":1,"notification_configuration_id":"nc-AeUQ2zfKZzW9TiGZ","run_id":"run-FwnENkvDnrpyFC7M","workspace_name":"acme","notifications":[{"message":"Run Applied","trigger":"run:completed","run_status":"applied","run_updated_at":"2026-03-14T09:27:51.000Z"}]}'
hash=sha512
header=X-TFE-Notification-Signature
signed() { cat "$body"; }
heads() { line X-TFE-Notification-Signature "$sig"; }
flaws
