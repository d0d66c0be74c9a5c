# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/orb
first='{"id": "o71mmewpfNNTnjfZc", "created_at": "2026-03-14T09:26:52+00:00", "type": "resource_event.test", "details": {"message": "hello"}}'
second='{"id": "o70mmewpfNNTnjfZc", "created_at": "2026-03-14T09:26:50+00:00", "type": "invoice.issued", "details": {}}'
first_id=o71mmewpfNNTnjfZc
second_id=o70mmewpfNNTnjfZc
stamp() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%S.551; }
signed() { printf 'v1:%s:' "$ts"; cat "$body"; }
heads() { line X-Orb-Signature "v1=$sig"; line X-Orb-Timestamp "$ts"; }
timed=300,300
skip=" quoted oldest-in-window too-old newest-in-window too-new "
flaws
skip=
list() { edit "s#^($header: ).*#\1$1\r#"; }
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes unsigned "quotes around the header of the signature" event
fresh; list "v1=$(zeros) v1=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "v1=? v1=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "v2=$good"; vector another-version-alone unsigned "there is no item of version 1" event
fresh; received=$((at + 299)); vector old accept "not quite as old as it may be"
fresh; received=$((at + 302)); vector too-old too_old "older than it may be" event
fresh; received=$((at - 298)); vector new accept "not quite as far ahead as it may be"
fresh; received=$((at - 301)); vector too-new too_new "further ahead than it may be" event
fresh; edit "/^X-Orb-Timestamp:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^(X-Orb-Timestamp: .*)\r/\1Z\r/"; vector time-with-a-zone malformed "the time has a zone" event
