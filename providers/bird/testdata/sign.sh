# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh

path='/hooks/bird?b=2&a=1'
url='https://shop.example/hooks/bird?b=2&a=1'
place=$url
first='{"service":"channels","event":"sms.outbound","payload":{"id":"2c9f7c1e-6a35-11f0","status":"delivered"}}'
second='{"service":"channels","event":"sms.inbound","payload":{"id":"97ceeb52-58b6-11e1","body":"Yes"}}'
timed=300,300
encode() { base64of; }
signed() { printf '%s\n%s\n' "$ts" "$place"; openssl dgst -sha256 -binary "$body"; }
heads() { line MessageBird-Signature "$sig"; line MessageBird-Request-Timestamp "$ts"; }
flaws

fresh; edit '/Timestamp:/d'; vector time-missing malformed "the time is missing" event
fresh; edit 's/^(MessageBird-Request-Timestamp: )/\10/'; vector time-with-zero malformed "a zero in front of the time" event
fresh; path='/hooks/bird?a=1&b=2'; vector query-in-another-order malformed "the query is not the one of the endpoint" event
path='/hooks/bird'; vector query-missing malformed "the query is missing" event
path='/behind/a/proxy?b=2&a=1'; vector another-path accept "the path of the request is what a proxy made of it"
path='/hooks/bird?b=2&a=1'
place='http://shop.example/hooks/bird?b=2&a=1'; fresh; vector signed-with-http mismatch "signed for http" event
place='https://shop.example/hooks/bird'; fresh; vector signed-without-query mismatch "signed without the query" event
place='a=1&b=2'; fresh; vector signed-query-alone mismatch "signed as MessageBird's older webhooks are" event
signed() { printf '%s\n%s\n' "$ts" "$place"; openssl dgst -sha256 -hex -r "$body" | cut -c1-64 | tr -d '\n'; }
place=$url; fresh; vector digest-in-hexadecimal mismatch "the SHA-256 signed in hexadecimal" event

signed() { printf '%s\n%s\n' "$ts" "$place"; openssl dgst -sha256 -binary "$body"; }
options='# option: query alone' place='a=1&b=2'
fresh; vector query-alone accept "MessageBird's older webhooks sign the query, sorted"
place='b=2&a=1'; fresh; vector query-alone-unsorted mismatch "the query signed as it is" query-alone
