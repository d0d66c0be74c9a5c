# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/twitch
first='{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"channel.follow","version":"2","status":"enabled"},"event":{"user_id":"1234","user_login":"ann"}}'
second='{"subscription":{"id":"f1c2a387-161a-49f9-a165-0f21d7a4e1c4","type":"channel.follow","version":"2","status":"enabled"},"event":{"user_id":"1235","user_login":"bob"}}'
first_id=e76c6bd4-55c9-4987-8304-da1588d89871
second_id=e76c6bd4-55c9-4987-8304-da1588d89870
stamp() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%S.000000000Z; }
signed() { printf '%s%s' "$id" "$ts"; cat "$body"; }
heads() { line Twitch-Eventsub-Message-Signature "sha256=$sig"; line Twitch-Eventsub-Message-Id "$id"; line Twitch-Eventsub-Message-Timestamp "$ts"; }
timed=600,300
flaws
fresh; edit "/^Twitch-Eventsub-Message-Timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(Twitch-Eventsub-Message-Timestamp: .*)/\1\n\1/"; vector time-twice malformed "the time stands there twice" event
fresh; edit "s/^(Twitch-Eventsub-Message-Id: ).*/\1$second_id\r/"; vector id-of-another-message mismatch "the id of another message under this signature" event
fresh; edit "/^Twitch-Eventsub-Message-Id:/d"; vector no-id malformed "the id is missing" event
fresh; edit "s/^(Twitch-Eventsub-Message-Id: ).*/\1msg_71\r/"; vector id-of-no-form malformed "the id has none of the two forms" event
id=Zx81KqL0vN3TtY6bWc9dEfGhIjKlMnOpQrStUvWxy_0=; plain "$first"; sign; vector id-in-base64 accept "the id is a hash in URL-safe base64"
edit "s/^(Twitch-Eventsub-Message-Id: .*)_0=/\1_1=/"; vector id-in-base64-with-loose-bits malformed "the same bytes in another spelling of base64" id-in-base64
