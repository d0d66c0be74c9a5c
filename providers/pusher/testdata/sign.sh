# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/pusher
first='{"time_ms":1773480413000,"events":[{"name":"channel_occupied","channel":"orders"}]}'
second='{"time_ms":1773480413000,"events":[{"name":"channel_vacated","channel":"orders"}]}'
skip=time-changed
timed=600,300
signed() { cat "$body"; }
heads() {
	line X-Pusher-Signature "$sig"
	line X-Pusher-Key "278d425bdf160c739803"
}
flaws
