# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh

hash=sha1
type=application/x-www-form-urlencoded
path='/hooks/twilio?shop=7'
url='https://shop.example/hooks/twilio?shop=7'
first='ToCountry=US&MessageSid=SM0b1c2d3e4f5061728394a5b6c7d8e9f0&Body=Yes%2C+8+o%27clock+is+fine&From=%2B15550100&To=%2B15550199&AccountSid=AC7c2e9b0f4d6a18356e0b9d2f71c4a853&ApiVersion=2010-04-01'
second='CallSid=CA91f2e3d4c5b6a7988970615243342516&Digits=12&Digits=7&AccountSid=AC7c2e9b0f4d6a18356e0b9d2f71c4a853&From=%2B15550100'
encode() { base64of; }
heads() { line X-Twilio-Signature "$sig"; line I-Twilio-Idempotency-Token "3f0e6c1a-2b7d-4c58-9a41-8d5e2f7b6c90"; }
# fields writes names and values of the form in the file $body, decoded, sorted, each once.
fields() {
	tr '&' '\n' <"$body" | while IFS= read -r pair || [ -n "$pair" ]; do
		pair=${pair//+/ }
		printf '%b\t%b\n' "${pair%%=*}" "$(printf '%s' "${pair#*=}" | sed 's/%/\\x/g')"
	done | sort -u -t "$(printf '\t')" -k1,1 -k2,2 | tr -d '\t\n'
}
signed() { printf '%s' "${public:-$url}"; [ ! -s "$body" ] || fields; }
flaws

# Other spellings of what was signed, which are one message.
fresh; plain "$(printf '%s' "$first" | tr '&' '\n' | sort -r | paste -sd '&')"; vector fields-in-another-order accept "the order of the fields is not signed"
fresh; plain "${first//+/%20}"; vector blanks-escaped accept "a blank is + or %20"
fresh; plain "$first&ToCountry=US"; vector field-repeated accept "the same field twice is signed once"
plain "$second&Digits=7&Digits=12"; sign; vector values-repeated accept "the values of a repeated field are sorted, and each is signed once"
plain ""; sign; vector no-fields accept "a form without fields: the URL alone is signed"

# Other forms under this signature.
fresh; plain "${first/Body=Yes/Body=No}"; vector value-changed mismatch "another value" event
fresh; plain "${first/&ApiVersion=2010-04-01/}"; vector field-missing mismatch "a field is missing" event
fresh; plain "$first&Zone=1"; vector field-added mismatch "one field more" event
fresh; plain "${first/MessageSid=/messageSid=}"; vector name-in-another-case mismatch "the case of a name counts" event
fresh; plain "$(signed)"; vector message-as-body mismatch "what was signed, as the body" event

# Forms that parsers read differently; to some of them they are what was signed.
fresh; plain "${first/ToCountry=US&/ToCountry=US;}"; vector semicolon mismatch "a semicolon, which some parsers take for a separator" event
fresh; plain "$first&"; vector open-end mismatch "an empty field at the end" event
fresh; plain "${first/Yes/Y%65s}"; vector escaped-letter accept "a letter that is escaped needlessly"
fresh; plain "${first/Yes%2C/Yes,}"; vector unescaped-comma accept "a comma that is not escaped"
fresh; plain "${first/Yes%2C/Yes%2}"; vector escape-cut mismatch "an escape of one digit" event

# The URL.
public='https://shop.example:443/hooks/twilio?shop=7'; fresh; vector signed-with-port accept "signed with the default port"; public=
public='https://shop.example:8443/hooks/twilio?shop=7'; fresh; with "$sig"; fresh; vector signed-with-another-port mismatch "signed with a port that is no default" event; public=
public='http://shop.example/hooks/twilio?shop=7'; fresh; vector signed-with-http mismatch "signed for http" event; public=
public='https://shop.example/hooks/twilio'; fresh; vector signed-without-query mismatch "signed for the URL without its query" event; public=
public='https://shop.example//hooks/twilio?shop=7'; fresh; vector signed-with-two-slashes mismatch "signed for a path with two slashes" event; public=
path='/hooks/twilio?shop=8'; fresh; vector query-changed malformed "the query is not the one of the endpoint" event
path='/hooks/twilio'; fresh; vector query-missing malformed "the query is missing" event
path='/hooks/twilio?shop=7&x=1'; fresh; vector query-longer malformed "a parameter more in the query" event
path='/elsewhere/behind/a/proxy?shop=7'; fresh; vector another-path accept "the path of the request is what a proxy made of it"
url='https://shop.example:8443//in?shop=7' path='/in?shop=7'
fresh; vector two-slashes accept "a port that is no default, and a path that nobody cleans"
public='https://shop.example//in?shop=7'; fresh; vector port-left-out accept "Twilio may leave the port out"; public=
url="https://shop.example/in?note=it's" path="/in?note=it's"
public='https://shop.example/in?note=it%27s'; fresh; vector apostrophe accept "Twilio may escape an apostrophe of the query"; public=

# A query of each request's own.
url='https://shop.example/hooks/twilio'
options='# option: any query'
own() { path="/hooks/twilio$1" public="$url$1"; }
own '?order=17'; fresh; vector own-query accept "each request has a query of its own"
path='/hooks/twilio?order=1'; vector own-query-cut mismatch "the end of the query is gone" own-query
own '?order=18'; fresh; sig=; path='/hooks/twilio?order=17'; vector own-query-changed mismatch "signed for another query" own-query
own ''; fresh; vector own-query-none accept "and none is one, too"
own '?order=17'; fresh; path='/hooks/twilio?order=17AccountSidAC7c2e9b0f4d6a18356e0b9d2f71c4a853'; vector own-query-longer mismatch "a field of the form behind the query" own-query
public= options=

# HMAC-SHA256 with a shared key.
url='https://shop.example/hooks/twilio?shop=7' path='/hooks/twilio?shop=7'
fresh; weak=$sig
hash=sha256 options='# option: sha256'
fresh; vector sha256 accept "a rule of the account signs with HMAC-SHA256"
with "$weak"; vector sha256-signed-with-sha1 malformed "HMAC-SHA1 where the endpoint wants HMAC-SHA256" sha256
hash=sha1 options=

# JSON.
type=application/json options='# option: json'
json='{"type":"com.example.flow.finished","sid":"FN0b1c2d3e4f5061728394a5b6c7d8e9f0","ok":true}'
fields() { :; }
sum() { printf '%s' "$1" | openssl dgst -sha256 -r | cut -c1-64; }
hashed() { path="/hooks/twilio?$1" public="https://shop.example/hooks/twilio?$1"; }
body256=$(sum "$json")
hashed "shop=7&bodySHA256=$body256"; plain "$json"; sign; vector json accept "the URL is signed, and holds the SHA-256 of the body"; jsonsig=$sig
plain "${json/true/false}"; vector json-changed mismatch "another body" json
plain "$json"; with "$weak"; vector json-signature-of-a-form mismatch "the signature of a form" json
plain ""; with "$jsonsig"; vector json-empty mismatch "the body is gone" json
plain "$json"
path='/hooks/twilio?shop=7'; vector json-without-hash malformed "nothing covers the body" json
path="/hooks/twilio?bodySHA256=$body256"; vector json-without-own-query malformed "the query of the endpoint is missing" json
path="/hooks/twilio?shop=7&bodySHA256=$body256&bodySHA256=$body256"; vector json-hash-twice malformed "two hashes" json
path="/hooks/twilio?shop=7&bodySHA256=$(printf '%s' "$body256" | tr a-f A-F)"; vector json-hash-in-upper-case malformed "a hash in upper case" json
path="/hooks/twilio?shop=7&bodySHA256=${body256%?}"; vector json-hash-cut malformed "a hash that is too short" json
path="/hooks/twilio?shop=7&bodySHA256=$(sum other)"; vector json-another-hash mismatch "the hash of another body" json
hashed "bodySHA256=$body256&shop=7"; sign; vector json-hash-first accept "the hash may stand in front"
