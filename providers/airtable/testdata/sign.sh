# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/airtable
secret=cGZaTnV2b3FmU3lBb1RkVnJ6a2pKdz09
other_secret=bXhLc0RhTHdQcVJ0WXVJb0FzRGZHaEo=
first='{"base":{"id":"app00000000000000"},"webhook":{"id":"ach00000000000000"},"timestamp":"2026-03-14T09:26:51.663Z"}'
second='{"base":{"id":"app00000000000000"},"webhook":{"id":"ach00000000000000"},"timestamp":"2026-03-14T09:27:51.174Z"}'
keyform=base64
header=X-Airtable-Content-MAC
signed() { cat "$body"; }
heads() { line X-Airtable-Content-MAC "hmac-sha256=$sig"; }
flaws
