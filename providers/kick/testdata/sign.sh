# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/kick
privatekey rsa der
first='{"broadcaster":{"is_anonymous":false,"user_id":123456789,"username":"broadcaster_name"},"follower":{"is_anonymous":false,"user_id":987654321,"username":"follower_name"}}'
second='{"broadcaster":{"is_anonymous":false,"user_id":123456789,"username":"broadcaster_name"},"is_live":true,"title":"Stream Title","started_at":"2026-03-14T09:26:50Z","ended_at":null}'
first_id=01JPAB3V7Q0M2T4N6R8W9X1Y2Z
second_id=01JPAB3X9S3K5M7P0Q2R4T6V8W
encode() { base64of; }
stamp() { iso "$1"; }
signed() { printf '%s.%s.' "$id" "$ts"; cat "$body"; }
heads() {
	line Kick-Event-Signature "$sig"
	line Kick-Event-Message-Id "$id"
	line Kick-Event-Message-Timestamp "$ts"
	line Kick-Event-Type channel.followed
	line Kick-Event-Version 1
}
timed=300,300
flaws
fresh; edit "s/^(Kick-Event-Message-Id: ).*/\1$second_id\r/"; vector another-id mismatch "the id of another event" event
fresh; edit "/^Kick-Event-Message-Id:/d"; vector no-id malformed "the header of the id is missing" event
