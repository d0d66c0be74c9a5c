# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/cloudinary
first='{"notification_type":"upload","timestamp":"2026-03-14T09:26:52+00:00","request_id":"71d1f0c6","asset_id":"a71","public_id":"sample-71","version":1773480412}'
second='{"notification_type":"delete","timestamp":"2026-03-14T09:26:50+00:00","request_id":"70d1f0c6","resources":[{"asset_id":"a70","public_id":"sample-70"}]}'
signed() { cat "$body"; printf '%s' "$ts"; }
mac() { cat - <(printf '%s' "$secret") | openssl dgst -sha1 -binary; }
heads() { line X-Cld-Signature "$sig"; line X-Cld-Timestamp "$ts"; }
timed=7200,300
flaws
fresh; edit "/^X-Cld-Timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(X-Cld-Timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
