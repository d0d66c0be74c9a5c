# Makes the vectors beside it: bash sign.sh. The signature base stands here as text, and
# openssl signs it.
cd "$(dirname "$0")" && . "${lib:-../../providertest/vector/sign.sh}"

path='/hooks/acme?shop=7'
url='https://hooks.example.com/hooks/acme?shop=7'
first='{"type":"invoice.paid","id":"evt_71","amount":4200}'
second='{"type":"invoice.void","id":"evt_72","amount":150}'
privatekey ed25519 rawhex
encode() { base64of; }
digest() { printf 'sha-256=:%s:' "$(openssl dgst -sha256 -binary "$body" | base64of)"; }
covered='"@method" "@target-uri" "content-digest"'
more=
params() { printf '(%s);created=%s%s' "$covered" "$ts" "$more"; }
# value NAME writes the value of a component.
value() {
	case $1 in
	@method) printf POST ;;
	@target-uri) printf %s "$url" ;;
	@authority) printf hooks.example.com ;;
	@scheme) printf https ;;
	@path) printf /hooks/acme ;;
	@query) printf '?shop=7' ;;
	@request-target) printf '/hooks/acme?shop=7' ;;
	content-type) printf application/json ;;
	content-digest) digest ;;
	acme-event) printf invoice ;;
	esac
}
signed() {
	for name in $covered; do
		name=${name#\"} name=${name%\"}
		printf '"%s": ' "$name"; value "$name"; printf '\n'
	done
	printf '"@signature-params": '; params
}
heads() {
	line Signature "sig1=:$sig:"
	line Signature-Input "sig1=$(params)"
	line Content-Digest "$(digest)"
	line Acme-Event invoice
}
timed=300,300
flaws

# What is covered. weak NAME NOTE OPTION…: what is refused is taken where options say so.
both() { fresh; vector "$1" "$2" "$3" ${4:-}; }
weak() {
	both "$1" malformed "$2" "$1-taken"
	before=$options options=$3; vector "$1-taken" accept "$2, and the endpoint takes that"; options=$before
}
no_body='# option: body not covered' no_request='# option: request not covered'
keep=$covered
covered='"@authority" "@path" "@query" "@method" "content-digest"'; both authority-and-path accept "the URL by its authority and path"
covered='"@authority" "@request-target" "@method" "@scheme" "content-digest"'; both request-target accept "the URL by its authority and what is requested"
covered='"@method" "@path" "content-digest"'; weak no-authority "the host is not covered" "$no_request"
covered='"@authority" "@method" "content-digest"'; weak no-path "the path is not covered" "$no_request"
covered='"@target-uri" "content-digest"'; weak no-method "the method is not covered" "$no_request"
covered='"@method" "@target-uri"'; weak no-digest "the body is not covered" "$no_body"
options=$no_body
plain "$second"; vector another-body-taken accept "another body, which is not covered"
covered=; weak nothing "nothing is covered" "$no_body
$no_request"
options=$no_request; weak nothing-but-a-time "the body is not covered" "$no_body
$no_request"
options='# option: component acme-event'
covered="$keep \"acme-event\""; both component accept "a header that the endpoint requires is covered"
edit 's/^(Acme-Event: ).*/\1refund\r/'; vector component-changed mismatch "a covered header is another one" component
fresh; edit '/^Acme-Event:/d'; vector component-missing malformed "a covered header is missing" component
fresh; edit 's/^(Acme-Event: .*)/\1\n\1/'; vector component-twice malformed "a covered header stands there twice" component
covered=$keep; both component-not-covered malformed "a header that the endpoint requires is not covered" event
options=
fresh; edit 's/^(Acme-Event: ).*/\1refund\r/'; vector header-not-covered accept "a header that is not covered is another one"
fresh; edit 's/"content-digest"\)/"content-digest" "content-digest")/'; vector component-listed-twice malformed "a component is listed twice" event
fresh; edit 's/"content-digest"\)/"content-digest" "@status")/'; vector unknown-component malformed "a component that a request has not" event
fresh; edit 's/"content-digest"\)/"content-digest";req)/'; vector component-with-parameter malformed "a component with a parameter" event
fresh; edit 's/ "@target-uri"/  "@target-uri"/'; vector two-blanks malformed "two blanks in the list" event
fresh; edit 's/("@method") ("@target-uri")/\2 \1/'; vector another-order mismatch "the components in another order" event

# The request.
fresh; path='/hooks/acme?shop=8'; vector another-query malformed "the query of the request is another one" event
path='/hooks/acme?shop=7'
url='https://hooks.example.com/hooks/other?shop=7'; fresh; vector signed-for-another-path accept "an endpoint at another path"
url='https://hooks.example.com/hooks/acme?shop=7'; vector another-path mismatch "signed for an endpoint at another path" signed-for-another-path

# The digest.
fresh; edit 's/^(Content-Digest: .*)/\1\n\1/'; vector digest-twice malformed "the digest stands there twice" event
fresh; edit '/^Content-Digest:/d'; vector digest-missing malformed "the digest is missing" event
content "$second"; other=$(digest); fresh; edit "s|^(Content-Digest: ).*|\1$other\r|"; vector digest-of-another-body mismatch "the digest of another body" event
digest() { printf 'sha-512=:%s:' "$(openssl dgst -sha512 -binary "$body" | base64of)"; }
fresh; vector sha-512 accept "a digest by SHA-512"
digest() { printf 'md5=:AAAA:, sha-256=:%s:' "$(openssl dgst -sha256 -binary "$body" | base64of)"; }
fresh; vector md5-beside-it accept "a wrong digest of an algorithm that does not count"
digest() { printf 'sha-512=:%s:, sha-256=:%s:' "$(openssl dgst -sha512 -binary "$body" | base64of)" "$(openssl dgst -sha256 -binary "$body" | base64of)"; }
fresh; vector both-digests accept "both digests"
digest() { printf 'sha-256=:%s:' "$(openssl dgst -sha256 -binary "$body" | base64of)"; }

fresh; edit 's/^(Content-Digest: sha-)256/\1999/'; vector unknown-digest malformed "a digest of an unknown algorithm alone" event

# Parameters.
more=';keyid="acme-1";alg="ed25519"'; both alg accept "the parameter alg says the endpoint's algorithm"
edit 's/alg="ed25519"/alg="hmac-sha256"/'; vector alg-of-another malformed "the parameter alg says another algorithm" alg
more=";expires=$((at + 60))"; both expires accept "expires lies ahead"
edit "s/expires=[0-9]+/expires=$((at - 1))/"; vector expires-before-created malformed "expires lies before created" expires
fresh; received=$((at + 60)); vector expires-now accept "expires is now"
fresh; received=$((at + 61)); vector expired too_old "expires has passed" expires-now
more=';tag="acme"'; weak tag "a tag, and the endpoint names none" '# option: tag acme'
options='# option: tag other'; both tag-of-another malformed "the tag of another application" tag-taken
more=; both tag-missing malformed "the endpoint names a tag, and there is none" event
options=
fresh; edit 's/(;created)/;region="eu"\1/'; vector unknown-parameter malformed "a parameter that is unknown" event
fresh; edit 's/(;created=[0-9]+)/\1\1/'; vector created-twice malformed "a parameter stands there twice" event
fresh; edit 's/;created=[0-9]+//'; vector created-removed malformed "created is gone" event
fresh; edit 's/(created=)/\10/'; vector created-with-zero malformed "a zero in front of created" event

# Labels.
fresh; edit 's/^Signature: sig1/Signature: sig2/'; vector label-of-another malformed "the signature has another label" event
fresh; edit 's/^(Signature: )(.*)\r/\1\2, sig2=:AAAA:\r/; s/^(Signature-Input: )(.*)\r/\1\2, sig2=("date")\r/'; vector two-labels malformed "two labels, and the endpoint names none" two-labels-one-named
options='# option: label sig1'; vector two-labels-one-named accept "two labels, and the endpoint names one"
fresh; edit 's/sig1=/sig3=/'; vector label-missing malformed "the label of the endpoint is missing" label-of-the-endpoint
options='# option: label sig3'; vector label-of-the-endpoint accept "the label of the endpoint"
options=

# The other algorithms.
pss() { openssl dgst -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64 -sign "$keyfile" -binary "$1"; }
pss32() { openssl dgst -sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sign "$keyfile" -binary "$1"; }
v15() { openssl dgst -sha256 -sign "$keyfile" -binary "$1"; }
# Two numbers in DER as 32 bytes each.
numbers() {
	openssl dgst -sha256 -sign "$keyfile" -binary "$1" | openssl asn1parse -inform DER |
		sed -n 's/.*INTEGER *:\([0-9A-F]*\)$/\1/p' | while read -r n; do printf "$(printf '%64s' "$n" | tr ' ' 0 | sed 's|..|\\x&|g')"; done
}
der() { openssl dgst -sha256 -sign "$keyfile" -binary "$1"; }
fresh_message() { rm -f "$work"/????????????????????????????????*; } # what mac keeps
algorithm() { # algorithm KIND NAME COMMAND
	privatekey "$1" der
	command=$3; raw() { "$command" "$1"; }
	fresh_message
	options="# option: algorithm $2"
}
algorithm rsa rsa-pss-sha512 pss; both rsa-pss accept "RSA-PSS"
algorithm rsa rsa-pss-sha512 pss32; both rsa-pss-short-salt mismatch "RSA-PSS with a salt of 32 bytes" rsa-pss
algorithm rsa rsa-pss-sha512 v15; both rsa-pss-as-v15 mismatch "RSA by the padding of another algorithm" rsa-pss
algorithm rsa rsa-v1_5-sha256 v15; both rsa-v15 accept "RSA (PKCS #1 v1.5)"
algorithm rsa rsa-v1_5-sha256 pss; both rsa-v15-as-pss mismatch "RSA by the padding of another algorithm" rsa-v15
algorithm ecdsa ecdsa-p256-sha256 numbers; both ecdsa accept "ECDSA, two numbers"
algorithm ecdsa ecdsa-p256-sha256 der; both ecdsa-der malformed "ECDSA in DER" ecdsa
mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$(printf '%s' "$secret" | hex)" -binary; }
keyform=text secret=5d1f0c6a9b3e47d28c50f1ae6b7d9243 other_secret=e0417c9bd2a85f36917be4c80d2f6a15
options='# option: algorithm hmac-sha256'
both hmac accept "HMAC"
fresh; secrets=$other_secret; vector hmac-wrong-secret mismatch "the endpoint has another secret" hmac
