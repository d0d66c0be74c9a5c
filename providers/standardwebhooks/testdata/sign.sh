# Writes the vectors of this folder, and of each sender in a folder of its own.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh

# The specification.
path=/hooks/standard
keyform=base64
cut=whsec_
secret=whsec_Q2hhbmdlIG5vdGhpbmcgb2YgdGhpcywgcGxlYXNl
other_secret=whsec_YW5vdGhlciBzZWNyZXQgb2YgMjQgYnl0ZXMu
first='{"type":"invoice.paid","timestamp":"2026-03-14T09:26:53Z","data":{"id":"inv_71","total":1200}}'
second='{"type":"invoice.voided","timestamp":"2026-03-14T09:26:51Z","data":{"id":"inv_70"}}'
first_id=msg_2b1QfXa0ZkC7u3Rr
second_id=msg_2b1QfW9mT4kLr8Zp
id_name=webhook-id time_name=webhook-timestamp signature_name=webhook-signature
signed() { printf '%s.%s.' "$id" "$ts"; cat "$body"; }
encode() { base64of; }
heads() { line "$signature_name" "v1,$sig"; line "$id_name" "$id"; line "$time_name" "$ts"; }
timed=300,300

# list TEXT makes TEXT the header of the signature.
list() { edit "s#^($signature_name: ).*#\1$1\r#"; }

# few writes the vectors that tell whether a sender's names, secrets and id are right.
few() {
	header=$signature_name received= secrets=
	id=$second_id; plain "$second"; sign; other_sig=$sig
	vector another-event accept "another event"
	id=$first_id; plain "$first"; sign; good=$sig
	vector event accept "an event"
	fresh() { id=$first_id; plain "$first"; sign; }
	plain "$second"; vector body-of-another-event mismatch "the body of another event under this signature" event
	fresh; with "$other_sig"; vector signature-of-another-body mismatch "the signature of another body" event
	fresh; edit "/^$signature_name:/d"; vector no-signature unsigned "the header of the signature is missing" event
	fresh; with "?${good#?}"; vector not-decodable malformed "a character in the signature that is none of its alphabet" event
	fresh; secrets="$other_secret $secret"; vector old-secret-still-listed accept "a rotation: the old secret signs, and is still listed"
	fresh; secrets=$other_secret; vector wrong-secret mismatch "the endpoint has another secret" event
	fresh; received=$((at + 301)); vector too-old too_old "one second older than it may be" event
	fresh; received=$((at - 301)); vector too-new too_new "one second further ahead than it may be" event
	ids
}

# ids writes what only a scheme with a signed id has.
ids() {
	fresh; edit "s/^($id_name: ).*/\1$second_id\r/"; vector id-of-another-event mismatch "the id of another event under this signature" event
	fresh; edit "/^$id_name:/d"; vector no-id malformed "the id is missing" event
}

skip=" quoted "
flaws
ids
fresh; list "\"v1,$good\""; vector quoted-list unsigned "quotes around the header of the signature, so that no item is of version 1" event
fresh; edit "/^$time_name:/d"; vector no-time malformed "the time is missing" event
fresh; edit "s/^($id_name: .*)\r/\1.1\r/"; vector dot-in-the-id malformed "the id holds the character that separates it from the time" event
fresh; list "v1,$(zeros) v1,$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "v1,? v1,$good"; vector good-behind-undecodable accept "the first signature is not base64"
fresh; list "v1a,$good v1,$good"; vector another-version-beside accept "an item of another version stands beside the signature"
fresh; list "v2,$good"; vector another-version-alone unsigned "there is an item of another version, and no other one" event
fresh; list "$good"; vector no-version malformed "the signature stands there without its version" event
fresh; list "v1,$good,v1,$good"; vector commas malformed "a comma stands between the items" event
fresh; list "v1,${good%=}"; vector no-padding malformed "the padding of the signature is missing" event
fresh; secret=${secret#whsec_}; vector secret-without-its-prefix accept "the secret is given as base64 alone"
secret=whsec_$secret

# sender NAME KEYFORM CUT begins a sender's folder.
sender() {
	cd "$root" && mkdir -p "$1" && cd "$1"
	path=/hooks/$1 keyform=$2 cut=$3
	case $2 in
	text) secret=$3$plain_secret other_secret=$3$plain_other; cut= ;;
	*) secret=$3$base64_secret other_secret=$3$base64_other ;;
	esac
}
root=$PWD
base64_secret=${secret#whsec_} base64_other=${other_secret#whsec_}
plain_secret=5d1f0c6a9b3e47d28c50f1ae6b7d9243 plain_other=e0417c9bd2a85f36917be4c80d2f6a15
webhook() { id_name=webhook-id time_name=webhook-timestamp signature_name=webhook-signature; few; }
svix() { id_name=svix-id time_name=svix-timestamp signature_name=svix-signature; few; }


# either writes what only a sender has that uses one of two names for each header.
either() {
	fresh; edit "s/^svix-/webhook-/"; vector other-names accept "the headers have their other names"
	fresh; edit "/^svix-/{p;s/^svix-/webhook-/}"; vector both-names accept "each header stands there under both names"
	fresh; edit "/^svix-/{p;s/^svix-/webhook-/};s/^(webhook-id: ).*/\\1$second_id\\r/"; edit "s/^(webhook-id: ).*/\\1$second_id\\r/"; vector names-that-differ malformed "the id is another one under its other name" both-names
	fresh; edit "/^svix-/{p;s/^svix-/webhook-/}"; edit "/^svix-signature:/d"; vector other-signature-alone accept "the signature stands there under its other name alone, beside an id and a time of both"
	fresh; edit "/^svix-/{p;s/^svix-/webhook-/}"; edit "/^svix-signature:|^webhook-id:/d"; vector names-mixed malformed "the signature has its other name, and the id does not" other-signature-alone
}

first='{"type":"event","id":"evt_01","created_at":"2026-03-14T09:26:53Z","data":{"type":"session.status_idled","id":"sesn_71"}}'
second='{"type":"event","id":"evt_02","created_at":"2026-03-14T09:26:51Z","data":{"type":"vault.created","id":"vlt_70"}}'
sender anthropic base64 whsec_; webhook

first='{"type":"generation.completed","data":{"id":"gen_71","status":"DONE"}}'
second='{"type":"generation.failed","data":{"id":"gen_70","status":"FAILED"}}'
sender argil base64 whsec_; webhook

first='{"scope":"store/order/created","store_id":"1025646","data":{"type":"order","id":250}}'
second='{"scope":"store/order/updated","store_id":"1025646","data":{"type":"order","id":249}}'
sender bigcommerce text ""; webhook

first='{"event_type":"TRANSFER_PROCESSED","transfer_id":"dptx_71","company_id":"cuacc_1"}'
second='{"event_type":"TRANSFER_FAILED","transfer_id":"dptx_70","company_id":"cuacc_1"}'
sender brex base64 ""; webhook

first='{"data":{"id":"user_71","object":"user"},"object":"event","type":"user.created"}'
second='{"data":{"id":"user_70","object":"user"},"object":"event","type":"user.deleted"}'
sender clerk base64 whsec_; svix

first='{"business_id":"bus_1","type":"payment.succeeded","data":{"payment_id":"pay_71","total_amount":1200}}'
second='{"business_id":"bus_1","type":"payment.failed","data":{"payment_id":"pay_70","total_amount":800}}'
sender dodopayments base64 whsec_; webhook

first='{"company_id":"720be419-0293-4d32-a707-32179b0827ab","event_type":"employment.created","data":{"individual_id":"71"}}'
second='{"company_id":"720be419-0293-4d32-a707-32179b0827ab","event_type":"employment.deleted","data":{"individual_id":"70"}}'
sender finch base64 ""; id_name=finch-event-id time_name=finch-timestamp signature_name=finch-signature; few

first='{"object_kind":"push","ref":"refs/heads/main","project_id":15,"total_commits_count":4}'
second='{"object_kind":"tag_push","ref":"refs/tags/v1.0.0","project_id":15,"total_commits_count":0}'
sender gitlabsigning base64 whsec_; webhook

first='{"event":"order_batch.completed","data":{"id":"71","recipients_count":2}}'
second='{"event":"order.shipped","data":{"id":"70"}}'
sender goody base64 whsec_; svix

first='{"event_type":"public_incident.incident_created_v2","public_incident.incident_created_v2":{"id":"01F71","name":"The queue is full"}}'
second='{"event_type":"public_incident.incident_updated_v2","public_incident.incident_updated_v2":{"id":"01F70","name":"Slow reports"}}'
sender incidentio base64 whsec_; svix; either

first='{"associated_object_id":"account_71","associated_object_type":"account","category":"account.created","id":"event_71","type":"event"}'
second='{"associated_object_id":"account_70","associated_object_type":"account","category":"account.updated","id":"event_70","type":"event"}'
sender increase base64 whsec_; webhook

first='{"event_type":"card.created","card_token":"f71d1f0c-6a9b-4e47-828c-50f1ae6b7d92"}'
second='{"event_type":"card.updated","card_token":"f70d1f0c-6a9b-4e47-828c-50f1ae6b7d92"}'
sender lithic base64 whsec_; webhook

first='{"eventName":"contact.created","eventTime":1773480413,"webhookSchemaVersion":"1.0.0","contact":{"id":"c71"}}'
second='{"eventName":"contact.unsubscribed","eventTime":1773480411,"webhookSchemaVersion":"1.0.0","contactIdentity":{"id":"c70"}}'
sender loops base64 whsec_; webhook

first='{"id":"evt_71","type":"scenario.execution.failed","data":{"scenarioId":4711}}'
second='{"id":"evt_70","type":"scenario.deactivated","data":{"scenarioId":4710}}'
sender makecom base64 whsec_; webhook

first='{"id":"evt_71","object":"event","created_at":1773480413,"type":"response.completed","data":{"id":"resp_71"}}'
second='{"id":"evt_70","object":"event","created_at":1773480411,"type":"batch.failed","data":{"id":"batch_70"}}'
sender openai base64 whsec_; webhook

first='{"id":"evt_71","type":"entitlements.balance.threshold","timestamp":"2026-03-14T09:26:53Z","data":{"threshold":{"value":100,"type":"PERCENT"}}}'
second='{"id":"evt_70","type":"entitlements.reset","timestamp":"2026-03-14T09:26:51Z","data":{}}'
sender openmeter base64 whsec_; svix

first='{"type":"order.created","timestamp":"2026-03-14T09:26:53Z","data":{"id":"71d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243","amount":1200}}'
second='{"type":"subscription.canceled","timestamp":"2026-03-14T09:26:51Z","data":{"id":"70d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243"}}'
sender polar text whsec_; webhook

first='{"event":"bot.done","data":{"bot":{"id":"71d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243"},"data":{"code":"done"}}}'
second='{"event":"bot.fatal","data":{"bot":{"id":"70d1f0c6-9b3e-47d2-8c50-f1ae6b7d9243"},"data":{"code":"fatal"}}}'
sender recallai base64 whsec_; webhook

first='{"type":"deploy_ended","timestamp":"2026-03-14T09:26:53.000Z","data":{"id":"evt-71","serviceId":"srv-1","status":"succeeded"}}'
second='{"type":"server_failed","timestamp":"2026-03-14T09:26:51.000Z","data":{"id":"evt-70","serviceId":"srv-1"}}'
sender render base64 whsec_; webhook

first='{"id":"ufawqhfynnddngldkgtslldrkq","status":"succeeded","output":["https://files.example.com/71.png"]}'
second='{"id":"gm3qorzdhgbfurvjtvhg6dckhu","status":"failed","error":"out of memory"}'
sender replicate base64 whsec_; webhook

first='{"type":"email.delivered","created_at":"2026-03-14T09:26:53.000Z","data":{"email_id":"71d1f0c6","to":["ann@example.com"]}}'
second='{"type":"email.bounced","created_at":"2026-03-14T09:26:51.000Z","data":{"email_id":"70d1f0c6","to":["bob@example.com"]}}'
sender resend base64 whsec_; svix

first='{"id":"71d1f0c6","name":"order.complete","timestamp":1773480413,"data":{"orderId":"71"}}'
second='{"id":"70d1f0c6","name":"order.declined","timestamp":1773480411,"data":{"orderId":"70"}}'
sender sardine base64 whsec_; webhook

first='{"id":"evt_71","type":"envelope.completed","object_id":"71d1f0c6","timestamp":"2026-03-14T09:26:53Z"}'
second='{"id":"evt_70","type":"recipient.rejected","object_id":"70d1f0c6","timestamp":"2026-03-14T09:26:51Z"}'
sender signatureapi base64 whsec_; webhook

first='{"eventType":"verification.completed","verificationId":"71d1f0c6"}'
second='{"eventType":"verification.failed","verificationId":"70d1f0c6"}'
sender soharhealth base64 whsec_; svix

first='{"user":{"id":"71d1f0c6","phone":"+15550100"},"sms":{"otp":"561166"}}'
second='{"user":{"id":"70d1f0c6","phone":"+15550101"},"sms":{"otp":"240917"}}'
sender supabase base64 v1,whsec_; webhook

first='{"event_type":"ping","data":{"success":true}}'
second='{"event_type":"pong","data":{"success":true}}'
sender svix base64 whsec_; svix; either

# The asymmetric signatures, with the keys of the tests.
first='{"type":"invoice.paid","timestamp":"2026-03-14T09:26:53Z","data":{"id":"inv_71","total":1200}}'
second='{"type":"invoice.voided","timestamp":"2026-03-14T09:26:51Z","data":{"id":"inv_70"}}'
sender standardwebhooksv1a base64 ""
here=$root/../../providertest/vector
privatekey ed25519 raw64
secret=whpk_$secret other_secret=whpk_$other_secret
heads() { line "$signature_name" "v1a,$sig"; line "$id_name" "$id"; line "$time_name" "$ts"; }
webhook
fresh; list "v1,$good v1a,$good"; vector another-version-beside accept "an item of another version stands beside the signature"
fresh; list "v1,$good"; vector another-version-alone unsigned "there is an item of another version, and no other one" event
