# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/uploadcare
first='{"initiator":{"type":"api"},"hook":{"id":10,"event":"file.uploaded"},"data":{"uuid":"2e7a1c9b","original_filename":"a.png","size":642},"file":"https://files.example.com/2e7a1c9b/"}'
second='{"initiator":{"type":"api"},"hook":{"id":10,"event":"file.stored"},"data":{"uuid":"2e7a1c9b","original_filename":"a.png","size":642},"file":"https://files.example.com/2e7a1c9b/"}'
signed() { cat "$body"; }
heads() { line X-Uc-Signature "v1=$sig"; }
flaws
