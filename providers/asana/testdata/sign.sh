# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/asana
first='{"events":[{"user":{"gid":"1111"},"created_at":"2026-03-14T09:26:51.123Z","action":"added","resource":{"gid":"1337","resource_type":"task"},"parent":null}]}'
second='{"events":[{"user":{"gid":"1111"},"created_at":"2026-03-14T09:27:51.456Z","action":"changed","resource":{"gid":"1337","resource_type":"task"},"parent":null}]}'
signed() { cat "$body"; }
heads() { line X-Hook-Signature "$sig"; }
flaws
