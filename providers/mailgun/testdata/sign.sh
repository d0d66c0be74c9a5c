# Makes the vectors of Mailgun with openssl. Run it with bash.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/mailgun
id=
: >"$work/head"
one=e0b5477167110d68991efc6b9f89f0a11066af27834600e123
two=5egbgr1vjgqxtrnp65xfznchgdccwh5d6i09vijqi3whgowmn6

fresh() { token=$one ts=$at event=opened more= options= type=application/json; }
seal() { sig=$(printf '%s%s' "$ts" "$token" | mac | hex); }
write() { plain "{\"signature\":{\"token\":\"$token\",\"timestamp\":\"$ts\",\"signature\":\"$sig\"$more},\"event-data\":{\"event\":\"$event\",\"id\":\"Ase7i2zsRYeDXztHGENqRA\",\"recipient\":\"alice@example.com\"}}"; }
form() { options='# option: form' type=application/x-www-form-urlencoded; plain "event=$event&timestamp=$ts&token=$token&signature=$sig"; }
cook() { sed -E "$1" "$body" >"$work/cooked" && mv "$work/cooked" "$body"; }
made() { write; vector "$@"; }

fresh; token=$two event=failed; seal; made another-event accept "a failure"
fresh; seal; made event accept "an event"
fresh; seal; form; vector form accept "a form, where the endpoint takes forms"
fresh; seal; event=unsubscribed; made event-changed accept "another event under the signature, which does not cover it"
fresh; good=$(secret=$other_secret; seal; printf '%s' "$sig"); seal; more=",\"parent-signature\":\"$sig\""; sig=$good; made subaccount accept "an event of a subaccount, where the endpoint has the key of the primary account"

fresh; seal; token=$two; made token-changed mismatch "another token under the signature" event
fresh; seal; ts=$((at + 1)); made time-changed mismatch "another time under the signature" event
fresh; seal; sig=$(printf '%064d' 0); made all-zeros mismatch "a signature of zeros" event
fresh; seal; secrets=$other_secret; made wrong-secret mismatch "the endpoint has another key" event
fresh; seal; secrets="$other_secret $secret"; made old-secret-still-listed accept "a rotation: the old key signs, and is still listed"
fresh; seal; token=$two; form; vector form-token-changed mismatch "another token under the signature of a form" form
fresh; sig=; made empty-signature unsigned "the signature is empty" event
fresh; seal; write; cook 's/"signature":\{[^}]*\},//'; vector no-signature unsigned "there is no signature" event
fresh; seal; sig=$(printf '%s' "$sig" | tr a-f A-F); made upper-case-hex malformed "the signature in upper case" event
fresh; seal; sig=${sig%??}; made signature-short malformed "a signature that is cut" event
fresh; seal; token=${ts#?????????}$token ts=${ts%?}; made digit-moved malformed "a digit of the time that moved into the token" event
fresh; seal; more=",\"token\":\"$two\""; made token-twice malformed "the token stands there twice" event
fresh; seal; more=",\"Token\":\"$two\""; made token-in-two-cases malformed "the token stands there once more in upper case" event
fresh; seal; write; printf '{}' >>"$body"; vector two-texts malformed "something behind the body" event
fresh; seal; form; printf '&token=%s' "$two" >>"$body"; vector form-token-twice malformed "a form with two tokens" form
fresh; seal; write; type=application/x-www-form-urlencoded; vector media-type media_type "another media type than the endpoint's" event

fresh; seal; received=$((at + 32400)); made oldest-in-window accept "as old as it may be"
fresh; seal; received=$((at + 32401)); made too-old too_old "one second older than it may be" event
fresh; seal; received=$((at - 300)); made newest-in-window accept "as far ahead as it may be"
fresh; seal; received=$((at - 301)); made too-new too_new "one second further ahead than it may be" event
