# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/forgejo
first='{"ref":"refs/heads/main","before":"38e1879d029cb852e4844d9c718537df08844e03","after":"cffeb74224043ba2feb48d137756c8a9331c449a","repository":{"id":141,"full_name":"acme/site"},"pusher":{"login":"jo"}}'
second='{"action":"closed","number":8,"issue":{"id":12,"title":"A button is too large","state":"closed"},"repository":{"id":141,"full_name":"acme/site"},"sender":{"login":"al"}}'
signed() { cat "$body"; }
heads() {
	line X-Forgejo-Signature "$sig"
	line X-Forgejo-Event "push"
	line X-Forgejo-Delivery "06266f16-1bf3-46a5-9ea4-602e06ead473"
}
flaws
