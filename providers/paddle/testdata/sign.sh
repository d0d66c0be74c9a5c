# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/paddle
secret=pdl_ntfset_01hsdn96k2hxjzsq5yerecdj9j_Rb0sZ1cQn4V7xKpW
other_secret=pdl_ntfset_01hsdn96k2hxjzsq5yerecdj9k_Yd8tH2mLf5G9wBqE
first='{"event_id":"evt_01hsdn97563968dy0szkmgjwh3","event_type":"transaction.paid","occurred_at":"2026-03-14T09:26:52.414197Z","notification_id":"ntf_01hsdn977e920kbgzt6r6c9rqc","data":{"id":"txn_71","status":"paid"}}'
second='{"event_id":"evt_01hsdn97563968dy0szkmgjwh4","event_type":"price.created","occurred_at":"2026-03-14T09:26:50.414197Z","notification_id":"ntf_01hsdn977e920kbgzt6r6c9rqd","data":{"id":"pri_70","status":"active"}}'
first_id=evt_01hsdn97563968dy0szkmgjwh3
second_id=evt_01hsdn97563968dy0szkmgjwh4
signed() { printf '%s:' "$ts"; cat "$body"; }
heads() { line Paddle-Signature "ts=$ts;h1=$sig"; }
timed=300,300
list() { edit "s#^($header: ).*#\1$1\r#"; }
skip=quoted
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes malformed "quotes around the header of the signature" event
fresh; list "ts=$ts;h1=$(zeros);h1=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "ts=$ts;h1=?;h1=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "ts=$ts;x9=$good"; vector another-item-alone unsigned "there is no item of the name that signatures have" event
fresh; list "h1=$good"; vector no-time malformed "there is no time" event
fresh; list "ts=$ts;ts=$ts;h1=$good"; vector time-twice malformed "the time stands there twice" event
