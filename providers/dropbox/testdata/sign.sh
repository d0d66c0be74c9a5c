# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/dropbox
first='{"list_folder": {"accounts": ["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"]}, "delta": {"users": [12345678]}}'
second='{"list_folder": {"accounts": ["dbid:AAGx1YzT0taONIb-OurWxbNQ6ywGRopQabc"]}, "delta": {"users": [87654321]}}'
signed() { cat "$body"; }
heads() { line X-Dropbox-Signature "$sig"; }
flaws
