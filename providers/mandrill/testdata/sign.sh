# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh

hash=sha1
type=application/x-www-form-urlencoded
path='/hooks/mandrill?shop=7'
url='https://shop.example/hooks/mandrill?shop=7'
events1='[{"event":"open","_id":"7761629a1f2c","ts":1773480413,"msg":{"email":"a@example.com","state":"sent"}}]'
events2='[{"event":"hard_bounce","_id":"7761629a1f2d","ts":1773480500,"msg":{"email":"b@example.com","state":"bounced"}}]'
escape() { printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed -E 's/ /%/g' | tr a-f A-F; }
first="mandrill_events=$(escape "$events1")"
second="mandrill_events=$(escape "$events2")"
encode() { base64of; }
heads() { line X-Mandrill-Signature "$sig"; }
public=$url
decoded() { printf '%b' "$(sed 's/+/ /g; s/%/\\x/g' "$body" | tr -d '=')"; }
signed() { printf '%s' "$public"; decoded; }
flaws

fresh; plain "mandrill_events=$(printf '%s' "$events1" | sed 's/\[/%5B/; s/\]/%5D/; s/{/%7B/g; s/}/%7D/g; s/"/%22/g; s/:/%3A/g; s/,/%2C/g; s/@/%40/g')"; vector escaped-otherwise accept "how characters are escaped is not signed"
fresh; plain "$first&x=1"; vector field-added mismatch "one field more" event
fresh; plain "x=1&$first"; vector field-in-front mismatch "one field more, in front" event
fresh; plain "$first&$first"; vector field-twice mismatch "the field twice" event
fresh; plain "${first/mandrill_events=/mandrill_event=s}"; vector border-moved mismatch "the border between name and value is another one" event
fresh; plain "mandrill_events="; vector value-empty mismatch "no events" event
plain "mandrill_events=%5B%5D"; sign; vector no-events accept "an empty list"

fresh; path='/hooks/mandrill?shop=8'; vector query-changed malformed "the query is not the one of the webhook" event
path='/hooks/mandrill'; vector query-missing malformed "the query is missing" event
path='/behind/a/proxy?shop=7'; vector another-path accept "the path of the request is what a proxy made of it"
path='/hooks/mandrill?shop=7'
public='https://shop.example/hooks/mandrill/?shop=7'; fresh; vector signed-with-slash mismatch "signed for the URL with a slash" event
public='http://shop.example/hooks/mandrill?shop=7'; fresh; vector signed-with-http mismatch "signed for http" event
url='https://u:p@shop.example/in' public='https://u:p@shop.example/in' path=/in
fresh; vector password-in-url accept "a URL with a password is signed with it"
