# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/hookdeck
first='{"event":"order.paid","id":"71","total":1200}'
second='{"event":"order.refunded","id":"70","total":800}'
encode() { base64of; }
signed() { cat "$body"; }
heads() { line x-hookdeck-signature "$sig"; }
flaws
fresh; edit "s/^(x-hookdeck-signature): .*/\1: $(zeros | sed 's/[/]/\\\//g')\r\nx-hookdeck-signature-2: $(printf '%s' "$good" | sed 's/[/]/\\\//g')\r/"; vector second-header accept "a rotation: the signature of the endpoint's secret stands in the second header"
fresh; edit "s/^x-hookdeck-signature:/x-hookdeck-signature-2:/"; vector second-header-alone accept "the signature stands in the second header alone"
