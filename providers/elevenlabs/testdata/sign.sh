# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/elevenlabs
first='{"type":"post_call_transcription","event_timestamp":1773480412,"data":{"agent_id":"agent_71","conversation_id":"conv_71","status":"done"}}'
second='{"type":"post_call_transcription","event_timestamp":1773480410,"data":{"agent_id":"agent_71","conversation_id":"conv_70","status":"done"}}'
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line ElevenLabs-Signature "t=$ts,v0=$sig"; }
timed=1800,300
list() { edit "s#^($header: ).*#\1$1\r#"; }
skip=quoted
flaws
fresh; edit "s/^($header: )(.*)\r/\1\"\2\"\r/"; vector in-quotes malformed "quotes around the header of the signature" event
fresh; list "t=$ts,v0=$(zeros),v0=$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "t=$ts,v0=?,v0=$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "t=$ts,x9=$good"; vector another-item-alone unsigned "there is no item of the name that signatures have" event
fresh; list "v0=$good"; vector no-time malformed "there is no time" event
fresh; list "t=$ts,t=$ts,v0=$good"; vector time-twice malformed "the time stands there twice" event
