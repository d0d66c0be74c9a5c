# Makes the vectors beside it: bash sign.sh. Those of the Coinbase Developer Platform are
# made by coinbasecdp/sign.sh.
cd "$(dirname "$0")" && . "${lib:-../../providertest/vector/sign.sh}"

path=/hooks/hook0
names='content-type x-event-id x-event-type'
etype=billing.invoice.paid
first='{"invoice":"in_71","amount":4200,"note":"v1.5"}'
second='{"invoice":"in_72","amount":150,"note":"late"}'
first_id=0198a5c2-7d3e-7c41-9b52-6f1d2e3a4b5c
second_id=0198a5c2-9e10-7a33-8c07-1a2b3c4d5e6f
signed() { printf '%s.%s.application/json.%s.%s.' "$ts" "$names" "$id" "$etype"; cat "$body"; }
heads() { line X-Hook0-Signature "t=$ts,h=$names,v1=$sig"; line X-Event-Id "$id"; line X-Event-Type "$etype"; }
timed=300,300
flaws

older() { { printf '%s.' "$ts"; cat "$body"; } | mac | encode; }
# The headers that are signed.
fresh; edit 's/^(X-Event-Id: .*)c\r/\1d\r/'; vector id-changed mismatch "another id" event
fresh; edit '/^X-Event-Id:/d'; vector id-missing malformed "a header that is signed is missing" event
fresh; edit 's/^(X-Event-Id: .*)/\1\n\1/'; vector id-twice malformed "a header that is signed stands there twice" event
fresh; edit 's/^(X-Event-Id: ....)/\1./'; vector id-with-dot malformed "a dot in a header that may have none" event
fresh; edit 's/^(X-Event-Type: ).*/\1billing.invoice.void\r/'; vector type-changed mismatch "another type" event
fresh; edit 's/^(X-Event-Type: .*)\r/\1.{"invoice":"in_71","amount":4200,"note":"v1\r/'; vector brace-in-type malformed "a brace in a header that is signed" event
fresh; edit 's/h=content-type x-event-id x-event-type/h=x-event-id content-type x-event-type/'; vector names-in-another-order mismatch "the names stand in another order" event
fresh; edit 's/ x-event-type,/,/'; vector name-gone mismatch "a name is gone" event
fresh; edit 's/ x-event-type,/ x-event-type x-event-type,/'; vector name-twice malformed "a name stands there twice" event
fresh; edit 's/ x-event-type,/  x-event-type,/'; vector blanks-between-names malformed "two blanks between names" event
fresh; edit 's/ x-event-type,/ X-Event-Type,/'; vector name-in-upper-case malformed "a name in upper case" event
fresh; edit 's/,h=content-type x-event-id x-event-type,/,h=host,/'; vector host malformed "the header Host, which a server takes away" event
fresh; edit 's/,h=[^,]*,/,/'; vector no-names unsigned "no names, so there is no v1" event
fresh; edit 's/,(h=[^,]*),/,\1,\1,/'; vector names-twice malformed "the names stand there twice" event
fresh; edit 's/,h=[^,]*,/,h=,/'; vector names-empty malformed "the list of names is empty" event

# The older version.
fresh; v0=$(older); edit "s/,v1=/,v0=$v0,v1=/"; vector both-versions accept "v0 is not looked at"
fresh; edit "s/,v1=/,v0=$(zeros),v1=/"; vector wrong-older-version accept "a wrong v0 does not matter"
fresh; edit "s/,v1=.*/,v0=$v0,v1=$(zeros)\r/"; vector older-version-does-not-rescue mismatch "a right v0 beside a wrong v1" event
fresh; edit "s/,v1=.*/,v0=$v0\r/"; vector older-version-alone unsigned "v1 is gone" event
fresh; edit "s/,v1=.*/,v1=$v0\r/"; vector older-signature-as-newer mismatch "the signature of v0 as that of v1" event
keep=$(declare -f signed heads)
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line X-Hook0-Signature "t=$ts,v0=$sig"; line X-Event-Id "evt_1"; }
options='# option: body alone'; first_id=
fresh; vector body-alone accept "an endpoint that judges v0"
fresh; edit "s/,v0=.*/,v1=$sig\r/"; vector body-alone-newer-version-alone unsigned "v0 is gone" body-alone
fresh; plain "$second"; vector body-alone-another-body mismatch "another body" body-alone
fresh; edit 's/,v0=/,h=x-event-id,v0=/'; vector body-alone-with-names accept "the names do not matter"
fresh; edit 's/evt_1/evt_2/'; vector body-alone-another-id accept "no header is signed"
options=

# An endpoint that wants a header signed.
eval "$keep"; first_id=0198a5c2-7d3e-7c41-9b52-6f1d2e3a4b5c
options='# option: require X-Event-Type'
fresh; vector required accept "the header is signed"
