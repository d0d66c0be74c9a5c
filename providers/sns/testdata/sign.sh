# Makes the vectors of Amazon SNS with openssl. Run it with bash. The keys are made anew and
# thrown away, so all files change, and the deliveries are of the day on which it runs.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/sns
type='text/plain; charset=UTF-8'
secret=arn:aws:sns:eu-central-1:123456789012:orders
region=https://sns.eu-central-1.amazonaws.com
url_of_cert=$region/SimpleNotificationService-0a1b2c3d4e5f60718293a4b5c6d7e8f9.pem
at=$(($(date +%s) + 3600))
ms=.250Z
id=17dea24b-55c2-540b-8362-f916557af765
uuid=$id

# authority NAME makes a root: NAME.pem, and its key.
authority() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$1.pem" -subj "/CN=$1" -days 36500 2>/dev/null
}
# leaf NAME ROOT HOST makes a certificate.
leaf() {
	openssl req -newkey rsa:2048 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$3" 2>/dev/null
	printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$3" >"$work/$1.ext"
	openssl x509 -req -in "$work/$1.csr" -CA "$2.pem" -CAkey "$work/$2.key" -set_serial 7 -days 36400 -extfile "$work/$1.ext" -out "$1.pem" 2>/dev/null
}
authority root
authority stranger-root
leaf leaf root sns.amazonaws.com
leaf stranger stranger-root sns.amazonaws.com
leaf other-name root s3.amazonaws.com

# The values of a message. notify and confirm set them, lines writes what is signed.
kind= text= subject= when= topic= token= subscribe= version= signer= cert=
fresh() {
	version=2 signer=leaf cert=$url_of_cert topic=$secret options= uuid=$id
	when=$(date -u -d "@$at" +%Y-%m-%dT%H:%M:%S)$ms
	received=
}
notify() { fresh; kind=Notification subject='An order' text='{"order":"4711","total":"19.90"}'; }
confirm() {
	fresh; kind=${1:-SubscriptionConfirmation} subject= text='You have chosen to subscribe to the topic.'
	token=2336412f37fb687f5d51e6e2425929f52e8e353134fe72d55ef8b330217d82da14007cbccefffd35b695feb8f0294d01
	subscribe="$region/?Action=ConfirmSubscription&TopicArn=$topic&Token=$token"
}
lines() {
	printf 'Message\n%s\nMessageId\n%s\n' "$text" "$uuid"
	if [ "$kind" = Notification ]; then
		[ -z "$subject" ] || printf 'Subject\n%s\n' "$subject"
		printf 'Timestamp\n%s\n' "$when"
	else
		printf 'SubscribeURL\n%s\nTimestamp\n%s\nToken\n%s\n' "$subscribe" "$when" "$token"
	fi
	printf 'TopicArn\n%s\nType\n%s\n' "$topic" "$kind"
}
seal() { sig=$(lines | openssl dgst "-$([ "$version" = 1 ] && echo sha1 || echo sha256)" -sign "$work/$signer.key" -binary | base64of); }
member() { printf '  "%s" : "%s"' "$1" "$(printf '%s' "$2" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }
# write makes the body.
write() {
	body=$work/body
	{
		printf '{\n'; member Type "$kind"; printf ',\n'; member MessageId "$uuid"; printf ',\n'
		[ "$kind" = Notification ] || { member Token "$token"; printf ',\n'; }
		member TopicArn "$topic"; printf ',\n'
		[ -z "$subject" ] || { member Subject "$subject"; printf ',\n'; }
		member Message "$text"; printf ',\n'
		[ "$kind" = Notification ] || { member SubscribeURL "$subscribe"; printf ',\n'; }
		member Timestamp "$when"; printf ',\n'; member SignatureVersion "$version"; printf ',\n'
		member Signature "$sig"; printf ',\n'; member SigningCertURL "$cert"
		[ "$kind" != Notification ] || { printf ',\n'; member UnsubscribeURL "$region/?Action=Unsubscribe&SubscriptionArn=$topic:ad7d16e3-0a7c-46aa-b23e-ffaf02250cbe"; }
		printf '\n}'
	} >"$body"
	line X-Amz-Sns-Message-Type "$kind" >"$work/head"
}
made() { seal; write; id=$uuid; vector "$@"; id=17dea24b-55c2-540b-8362-f916557af765; }
# cook EXPRESSION edits the body with sed.
cook() { sed -E "$1" "$body" >"$work/cooked" && mv "$work/cooked" "$body"; }

notify; made notification accept "a notification"
notify; subject=; made notification-without-a-subject accept "a notification without a subject"
confirm; uuid=165545c9-2a5c-472c-8df2-7ff2be2b3b1b; made confirmation accept "the confirmation of a subscription"
confirm UnsubscribeConfirmation; uuid=0b71e34e-42c3-486a-9e32-b1928ec994b5; made end-of-the-subscription accept "the end of a subscription"

# After the signature.
forge() { notify; seal; }
forge; text=other; write; vector message-changed mismatch "another message under the signature" notification
forge; subject=other; write; vector subject-changed mismatch "another subject under the signature" notification
forge; subject=; write; vector subject-gone mismatch "the subject is gone" notification
forge; uuid=27dea24b-55c2-540b-8362-f916557af765; write; vector id-changed mismatch "another id under the signature" notification
forge; when=$(date -u -d "@$((at + 1))" +%Y-%m-%dT%H:%M:%S)$ms; write; vector time-changed mismatch "another time under the signature" notification
forge; version=1; write; vector version-changed unsigned "version 1 in the place of version 2" notification
forge; sig=$(printf other | openssl dgst -sha256 -sign "$work/leaf.key" -binary | base64of); write; vector signature-of-something-else mismatch "the signature of something else" notification
forge; sig=; write; vector empty-signature unsigned "the signature is empty" notification
forge; write; cook '/"Signature"/d'; vector no-signature unsigned "the signature is missing" notification
forge; sig=${sig%==}; write; vector signature-without-padding malformed "the padding of the signature is missing" notification
forge; sig=QUJD; write; vector signature-short malformed "a signature of three bytes" notification
forge; write; cook 's/("Type")/"message" : "other",\n  \1/'; vector second-message malformed "a second message, in lower case" notification
forge; write; cook 's/(  "Message" : .*)/\1\n\1/'; vector message-twice malformed "the message stands there twice" notification
forge; write; cook 's/("Type")/"MessageAttributes" : {"kind" : {"Type" : "String", "Value" : "a"}},\n  \1/'; vector attributes malformed "attributes, which are not signed" notification
forge; options="# option: unsigned members"; write; cook 's/("Type")/"MessageAttributes" : {"kind" : {"Type" : "String", "Value" : "a"}},\n  \1/'; vector attributes-allowed accept "attributes, where the endpoint allows what is not signed"
forge; write; cook 's/"(https:[^"]*Unsubscribe[^"]*)"/"https:\/\/evil.example\/"/'; vector unsubscribe-elsewhere malformed "UnsubscribeURL on another host" notification
forge; write; printf '{"order":"4711"}' >"$body"; vector raw unsigned "a raw delivery" notification
forge; write; printf '\n{}' >>"$body"; vector two-texts malformed "something behind the body" notification

# What is signed is wrong.
notify; topic=${secret}2; made another-topic no_key "a topic that the endpoint does not have" notification
notify; subject='An
order'; made subject-of-two-lines malformed "a subject of two lines" notification
cook ':a;N;$!ba;s/An\norder/An\\norder/'; vector subject-of-two-lines malformed "a subject of two lines" notification
notify; uuid=17DEA24B-55C2-540B-8362-F916557AF765; made id-in-upper-case malformed "an id in upper case" notification
notify; when=${when%$ms}Z; made time-in-seconds malformed "a time without milliseconds" notification
notify; version=1; made version-1 unsigned "version 1, which has SHA-1" notification
notify; version=1 options="# option: SHA-1"; made version-1-allowed accept "version 1, where the endpoint allows it"
notify; version=3; made version-3 malformed "a version that is not known" notification
notify; received=$((at + 7200)); made oldest-in-window accept "as old as it may be"
notify; received=$((at + 7201)); made too-old too_old "older than it may be" notification
notify; received=$((at - 300 + 1)); made newest-in-window accept "as far ahead as it may be"
notify; received=$((at - 300)); made too-new too_new "further ahead than it may be" notification

# The certificate.
notify; cert=https://sns.s3-eu-central-1.amazonaws.com/SimpleNotificationService-0a1b2c3d.pem; made certificate-in-a-bucket untrusted "a bucket of S3 that is called sns" notification
notify; cert=https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b2c3d.pem; made certificate-of-another-region untrusted "the host of another region" notification
notify; cert=http://${url_of_cert#https://}; made certificate-over-http untrusted "a certificate over plain HTTP" notification
notify; cert=https://evil.example/x.pem; made certificate-elsewhere untrusted "a certificate on another host" notification
notify; cert=${url_of_cert/.com/.com:443}; made certificate-port untrusted "a host with a port" notification
notify; cert=${url_of_cert/\/\//\/\/x@}; made certificate-user untrusted "a host with a user" notification
notify; cert=$url_of_cert?x; made certificate-query untrusted "a URL with a query" notification
notify; signer=stranger; made key-of-a-stranger mismatch "another key than the certificate's" notification
notify; options="# option: certificate stranger.pem"; made certificate-of-a-stranger untrusted "SNS's host serves a certificate under another root" notification
notify; options="# option: certificate other-name.pem"; made certificate-of-another-name untrusted "SNS's host serves a certificate of another name" notification
