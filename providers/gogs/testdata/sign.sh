# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/gogs
first='{"ref":"refs/heads/main","before":"48e1879d029cb852e4844d9c718537df08844e03","after":"dffeb74224043ba2feb48d137756c8a9331c449a","repository":{"id":142,"full_name":"acme/site"},"pusher":{"login":"jo"}}'
second='{"action":"published","release":{"id":12,"tag_name":"v1.2.3","draft":false},"repository":{"id":142,"full_name":"acme/site"},"sender":{"login":"al"}}'
signed() { cat "$body"; }
heads() {
	line X-Gogs-Signature "$sig"
	line X-Gogs-Event "push"
	line X-Gogs-Delivery "16266f16-1bf3-46a5-9ea4-602e06ead473"
}
flaws
