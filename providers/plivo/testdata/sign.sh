# Makes the vectors beside it: bash sign.sh
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh

type=application/x-www-form-urlencoded
path='/hooks/plivo?b=2&a=1'
url='https://shop.example/hooks/plivo?b=2&a=1'
sorted='https://shop.example/hooks/plivo?a=1&b=2'
nonce=05429567804466091622
first='To=15550199&From=15550100&Text=Yes%2C+8+o%27clock&MessageUUID=2c9f7c1e-6a35-11f0-9d1b-0242ac110003&Type=sms'
second='CallUUID=97ceeb52-58b6-11e1-86da-77300b68f8bb&Duration=300&Event=Hangup'
encode() { base64of; }
heads() { line X-Plivo-Signature-V3 "$sig"; line X-Plivo-Signature-V3-Nonce "$nonce"; }
# fields writes names and values of the form in the file $body, decoded and sorted.
fields() {
	tr '&' '\n' <"$body" | while IFS= read -r pair || [ -n "$pair" ]; do
		pair=${pair//+/ }
		printf '%b\t%b\n' "${pair%%=*}" "$(printf '%s' "${pair#*=}" | sed 's/%/\\x/g')"
	done | sort -t "$(printf '\t')" -k1,1 -k2,2 | tr -d '\t\n'
}
dot=.
signed() { printf '%s' "$sorted"; [ ! -s "$body" ] || { printf '%s' "$dot"; fields; }; printf '.%s' "$nonce"; }
flaws

# The nonce.
fresh; nonce=05429567804466091623; with "$sig"; nonce=05429567804466091622; vector nonce-changed mismatch "another nonce" event
fresh; edit '/Nonce:/d'; vector nonce-missing malformed "the nonce is missing" event
fresh; edit 's/^(X-Plivo-Signature-V3-Nonce: .*)/\1\n\1/'; vector nonce-twice malformed "two nonces" event
fresh; edit 's/^(X-Plivo-Signature-V3-Nonce: ...)/\1./'; vector nonce-with-dot malformed "a dot in the nonce, which could be one of the form" event

# Several signatures.
fresh; with "$other_sig,$sig"; vector two-signatures accept "a list: one of them is enough"
fresh; with "$sig,$sig"; vector signature-listed-twice accept "the same one twice"
fresh; with "$other_sig, $sig"; vector blank-in-list mismatch "a signature behind a blank is none" event

# The form.
fresh; plain "$(printf '%s' "$first" | tr '&' '\n' | sort -r | paste -sd '&')"; vector fields-in-another-order accept "the order of the fields is not signed"
fresh; plain "$first&Type=sms"; vector field-repeated mismatch "a field twice" event
plain "$second&Event=Answer"; sign; vector name-repeated accept "the values of a repeated name are sorted"
plain ''; sign; vector no-fields accept "a form without fields"
fresh; plain "$first&"; vector open-end mismatch "an empty field at the end" event

# The URL.
fresh; path='/hooks/plivo?a=1&b=2'; vector query-in-another-order malformed "the query is not the one of the endpoint" event
path='/hooks/plivo'; vector query-missing malformed "the query is missing" event
path='/hooks/plivo?b=2&a=1'
keep=$sorted; sorted=$url; fresh; sorted=$keep; vector signed-with-query-unsorted mismatch "signed with the query as it is" event
url='https://shop.example/hooks/plivo' sorted='https://shop.example/hooks/plivo' path='/hooks/plivo' dot='?'
fresh; vector no-query accept "without a query the form stands behind the question mark"
plain ''; sign; vector no-query-and-no-fields accept "neither query nor form"
dot=.; fresh; vector no-query-signed-with-a-dot mismatch "without a query, signed as if there were one" no-query
dot=.
url='https://shop.example/in?note=a%20b' path='/in?note=a%20b'
sorted='https://shop.example/in?note=a%20b'; fresh; vector query-signed-as-it-is accept "the query is signed as it is"
sorted='https://shop.example/in?note=a b'; fresh; vector query-signed-without-escapes accept "the query is signed without its escapes"

# The main account's signature.
url='https://shop.example/hooks/plivo?b=2&a=1' path='/hooks/plivo?b=2&a=1' sorted='https://shop.example/hooks/plivo?a=1&b=2'
options='# option: main account'
heads() { line X-Plivo-Signature-Ma-V3 "$sig"; line X-Plivo-Signature-V3-Nonce "$nonce"; }
fresh; vector main-account accept "the signature of the main account"
fresh; edit '/^X-Plivo-Signature-Ma-V3:/d'; vector main-account-missing unsigned "the endpoint wants the signature of the main account" main-account
