# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/twitter
first='{"for_user_id":"2244994945","tweet_create_events":[{"id_str":"71","text":"hello"}]}'
second='{"for_user_id":"2244994945","follow_events":[{"type":"follow","created_timestamp":"1773480410000"}]}'
encode() { base64of; }
signed() { cat "$body"; }
heads() { line x-twitter-webhooks-signature "sha256=$sig"; }
flaws
