# Makes the vectors of the App Store with openssl. Run it with bash. The keys in keys/ protect
# nothing; where one is missing it is made. The certificates are made anew, so all files
# change, and the deliveries are of the day on which it runs.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/apple
secret=com.example.app
at=$(($(date +%s) + 3600))
uuid=8b0f2a52-7c1d-4e1b-9a54-2f6f0f6f3a11
mkdir -p keys

# key NAME CURVE makes a key, if there is none.
key() { [ -s "keys/$1.pem" ] || openssl ecparam -name "$2" -genkey -noout -out "keys/$1.pem"; }
# authority NAME makes a root: NAME.pem.
authority() {
	key "$1" secp384r1
	openssl req -x509 -new -sha384 -key "keys/$1.pem" -out "$1.pem" -subj "/CN=$2" -days 36500
}
# certificate NAME ISSUER CURVE FILE makes $work/NAME.pem with the extensions of stdin. The
# certificate of the issuer is FILE.
certificate() {
	key "$1" "$3"
	openssl req -new -key "keys/$1.pem" -out "$work/$1.csr" -subj "/CN=$1"
	cat >"$work/$1.ext"
	openssl x509 -req -sha384 -in "$work/$1.csr" -CA "$4" -CAkey "keys/$2.pem" -set_serial 7 -days 36400 -extfile "$work/$1.ext" -out "$work/$1.pem" 2>/dev/null
}
relations() { printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n1.2.840.113635.100.6.2.1=DER:05:00\n'; }
signing() { printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n1.2.840.113635.100.6.11.1=DER:05:00\n'; }
authority root 'Example Root'
authority stranger-root 'Example Root'
relations | certificate intermediate root secp384r1 root.pem
relations | grep -v 113635 | certificate unmarked-intermediate root secp384r1 root.pem
relations | certificate stranger-intermediate stranger-root secp384r1 stranger-root.pem
signing | certificate leaf intermediate prime256v1 "$work/intermediate.pem"
signing | grep -v 113635 | certificate unmarked intermediate prime256v1 "$work/intermediate.pem"
signing | certificate under-unmarked unmarked-intermediate prime256v1 "$work/unmarked-intermediate.pem"
signing | certificate stranger stranger-intermediate prime256v1 "$work/stranger-intermediate.pem"
signing | certificate past-the-intermediate root prime256v1 root.pem
cp root.pem stranger-root.pem "$work"
rm stranger-root.pem

# der NAME writes a certificate as x5c holds it.
der() { openssl x509 -in "$work/$1.pem" -outform DER | base64of; }
# numbers writes the two numbers of an ECDSA signature of stdin, raw: 32 bytes each.
numbers() {
	openssl asn1parse -inform DER | sed -n 's/.*INTEGER *://p' | while read -r n; do printf '%64s' "$n" | tr ' ' 0; done |
		sed 's/../\\x&/g' | { IFS= read -r text || true; printf "$text"; }
}

# The values of a notification; lines writes header and payload.
fresh() {
	kind=SUBSCRIBED id=$uuid app=com.example.app environment=Production when=${at}250 signer=leaf chain='leaf intermediate root' alg=ES256 extra= tail=
	data=data received=
}
head_text() {
	printf '{"alg":"%s","x5c":[' "$alg"
	comma=
	for c in $chain; do printf '%s"%s"' "$comma" "$(der "$c")"; comma=,; done
	printf ']%s}' "$extra"
}
payload_text() {
	printf '{"notificationType":"%s","notificationUUID":"%s","%s":{"appAppleId":1234567890,"bundleId":"%s","environment":"%s"},"version":"2.0","signedDate":%s%s}' \
		"$kind" "$id" "$data" "$app" "$environment" "$when" "$tail"
}
lines() { printf '%s.%s' "$(head_text | base64url)" "$(payload_text | base64url)"; }
# A message is signed once: ECDSA makes another signature each time.
seal() {
	of=$work/$(lines | cat - "keys/$signer.pem" | openssl dgst -sha256 -r | cut -c1-64)
	[ -s "$of" ] || lines | openssl dgst -sha256 -sign "keys/$signer.pem" -binary | numbers | base64url >"$of"
	sig=$(cat "$of")
}
write() { content "$(printf '{"signedPayload":"%s.%s"}' "$(lines)" "$sig")"; : >"$work/head"; }
made() { seal; write; vector "$@"; }
cook() { sed -E "$1" "$body" >"$work/cooked" && mv "$work/cooked" "$body"; }

fresh; made notification accept "a notification"
fresh; id=0c4e51f2-1d6b-4a8e-8f0a-5b1c2d3e4f50 kind=REFUND; made another-notification accept "another notification"
fresh; data=summary kind=RENEWAL_EXTENSION; made summary accept "a summary"

# After the signature.
forge() { fresh; seal; }
forge; kind=REFUND; write; vector type-changed mismatch "another type under the signature" notification
forge; id=1b0f2a52-7c1d-4e1b-9a54-2f6f0f6f3a11; write; vector id-changed mismatch "another id under the signature" notification
forge; when=${at}251; write; vector time-changed mismatch "another time under the signature" notification
forge; extra=',"typ":"JWT"'; write; vector header-changed mismatch "another header under the signature" notification
forge; sig=$(printf other | openssl dgst -sha256 -sign keys/leaf.pem -binary | numbers | base64url); write; vector signature-of-something-else mismatch "the signature of something else" notification
forge; sig=; write; vector empty-signature malformed "the signature is empty" notification
forge; sig=${sig%??}; write; vector signature-short malformed "the signature is cut" notification
forge; sig=$sig==; write; vector signature-with-padding malformed "padding behind the signature" notification
forge; sig=$(lines | openssl dgst -sha256 -sign keys/leaf.pem -binary | base64url); write; vector signature-in-der malformed "the signature in DER" notification
forge; write; cook 's/\}$/,"bid":"com.example.app"}/'; vector second-member malformed "a second member in the body" notification
forge; write; cook 's/signedPayload/signedpayload/'; vector member-in-lower-case malformed "the member in lower case" notification
forge; write; cook 's/:"e/:"\\u0065/'; vector escape malformed "an escape in signedPayload" notification
forge; write; plain '{"notification_type":"DID_RENEW","bid":"com.example.app","environment":"PROD"}'; vector version-1 unsigned "a notification of version 1" notification
forge; write; plain '{"signedPayload":""}'; vector empty unsigned "signedPayload is empty" notification
forge; write; cook 's/"([^"]*)\.[^".]*"\}/"\1"}/'; vector no-signature malformed "the signature is missing" notification

# What is signed is wrong.
fresh; app=com.example.other; made another-app no_key "another app" notification
fresh; environment=Sandbox; made sandbox no_key "the sandbox, where the endpoint is for production" notification
fresh; environment=Sandbox options='# option: sandbox'; made sandbox-allowed accept "the sandbox, where the endpoint is for it"
options=
fresh; data=other; made no-app malformed "nothing that names an app" notification
fresh; when=$at; made time-in-seconds too_old "a time in seconds" notification
fresh; when="\"${at}250\""; made time-as-text malformed "a time that is a text" notification
fresh; tail=',"Data":{}'; made second-data malformed "data twice, but for upper case" notification
fresh; alg=none; made algorithm-none malformed "the algorithm none" notification
fresh; alg=HS256; made algorithm-hs256 malformed "the algorithm HS256" notification
fresh; extra=',"jku":"https://example.com/keys"'; made keys-elsewhere malformed "the URL of keys" notification
fresh; extra=',"kid":"1"'; made key-id malformed "the id of a key" notification
fresh; extra=',"crit":["exp"],"exp":1'; made critical malformed "a member that is critical" notification
fresh; received=$((at + 604800)); made oldest-in-window accept "as old as it may be"
fresh; received=$((at + 604801)); made too-old too_old "older than it may be" notification
fresh; received=$((at - 300 + 1)); made newest-in-window accept "as far ahead as it may be"
fresh; received=$((at - 300)); made too-new too_new "further ahead than it may be" notification

# The certificates.
fresh; chain='leaf intermediate'; made two-certificates malformed "the root is missing" notification
fresh; chain='leaf intermediate root root'; made four-certificates malformed "four certificates" notification
fresh; signer=stranger; made key-of-a-stranger mismatch "another key than the certificate's" notification
fresh; signer=stranger chain='stranger stranger-intermediate stranger-root'; made root-of-a-stranger untrusted "another root of the same name" notification
fresh; signer=stranger chain='stranger stranger-intermediate root'; made chain-of-a-stranger untrusted "another chain in front of the root" notification
fresh; chain='leaf intermediate stranger-root'; made root-exchanged untrusted "another root behind the chain" notification
fresh; signer=unmarked chain='unmarked intermediate root'; made certificate-not-marked untrusted "a certificate without Apple's extension" notification
fresh; signer=under-unmarked chain='under-unmarked unmarked-intermediate root'; made intermediate-not-marked untrusted "an intermediate without Apple's extension" notification
fresh; signer=past-the-intermediate chain='past-the-intermediate intermediate root'; made past-the-intermediate untrusted "a certificate of the root itself, with an intermediate beside it" notification
