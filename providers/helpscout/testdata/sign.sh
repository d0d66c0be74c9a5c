# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/helpscout
first='{"id":1701,"number":42,"type":"email","status":"active","subject":"A button is too small","userUpdatedAt":"2026-03-14T09:26:51Z","mailboxId":7}'
second='{"id":1702,"number":43,"type":"email","status":"closed","subject":"A button is too large","userUpdatedAt":"2026-03-14T09:27:51Z","mailboxId":7}'
hash=sha1
header=X-HelpScout-Signature
signed() { cat "$body"; }
encode() { base64of; }
heads() {
	line X-HelpScout-Signature "$sig"
	line X-HelpScout-Event "convo.created"
}
flaws
