# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/recurly
first='{"id":"rjxwmwed71ug","object_type":"account","site_id":"qc32wqd4g2qj","event_type":"created","event_time":"2026-03-14T09:26:52Z","account_code":"71"}'
second='{"id":"rjxwmwed70ug","object_type":"subscription","site_id":"qc32wqd4g2qj","event_type":"renewed","event_time":"2026-03-14T09:26:50Z","uuid":"70"}'
stamp() { printf '%s000' "$1"; }
signed() { printf '%s.' "$ts"; cat "$body"; }
heads() { line recurly-signature "$ts,$sig"; }
timed=300,300
flaws
list() { edit "s#^($header: ).*#\1$1\r#"; }
fresh; list "$ts,$(zeros),$good"; vector good-behind-wrong accept "a rotation: the first signature is by a secret that the endpoint does not have"
fresh; list "$ts,?,$good"; vector good-behind-undecodable accept "the first signature does not decode"
fresh; list "$good"; vector no-time unsigned "there is no time, so that the signature is taken for it" event
fresh; list "$good,$ts"; vector time-behind malformed "the time stands behind the signature" event
fresh; list "$ts"; vector time-alone unsigned "there is a time and nothing else" event
