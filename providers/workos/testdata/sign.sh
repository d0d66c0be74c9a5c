# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/workos
first='{"id":"event_01HZ71QJ8Y4R6ZK2M5W9T3B7XC","event":"dsync.user.created","data":{"id":"directory_user_71","state":"active"},"created_at":"2026-03-14T09:26:53.000Z"}'
second='{"id":"event_01HZ70QJ8Y4R6ZK2M5W9T3B7XC","event":"dsync.user.deleted","data":{"id":"directory_user_70","state":"inactive"},"created_at":"2026-03-14T09:26:51.000Z"}'
first_id=event_01HZ71QJ8Y4R6ZK2M5W9T3B7XC
second_id=event_01HZ70QJ8Y4R6ZK2M5W9T3B7XC
stamp() { printf '%s000' "$1"; }
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line WorkOS-Signature "t=$ts, v1=$sig"; }
timed=180,180
list() { edit "s#^($header: ).*#\1$1\r#"; }
skip=quoted
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes malformed "quotes around the header of the signature" event
fresh; list "t=$ts, v1=$(zeros), v1=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "t=$ts, v1=?, v1=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "t=$ts, x9=$good"; vector another-item-alone unsigned "there is no item of the name that signatures have" event
fresh; list "v1=$good"; vector no-time malformed "there is no time" event
fresh; list "t=$ts, t=$ts, v1=$good"; vector time-twice malformed "the time stands there twice" event
fresh; list "t=$ts,v1=$good"; vector no-blank accept "no blank stands behind the comma"
fresh; list "t=$ts,  v1=$good"; vector two-blanks malformed "two blanks stand behind the comma" event
