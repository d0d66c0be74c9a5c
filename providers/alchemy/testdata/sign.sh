# Makes the vectors of this folder with openssl: see providers/providertest/vector/sign.sh.
cd "$(dirname "$0")" && . ../../providertest/vector/sign.sh
path=/hooks/alchemy
secret=whsec_5d1f0c6a9b3e47d28c50f1ae
other_secret=whsec_e0417c9bd2a85f36917be4c8
first='{"webhookId":"wh_octjglnywaupz6th","id":"whevt_ogrc5v64myey69ux","createdAt":"2026-03-14T09:26:51.000Z","type":"ADDRESS_ACTIVITY","event":{"network":"ETH_MAINNET","activity":[]}}'
second='{"webhookId":"wh_octjglnywaupz6th","id":"whevt_phsd6w75nzfz70vy","createdAt":"2026-03-14T09:27:51.000Z","type":"ADDRESS_ACTIVITY","event":{"network":"ETH_MAINNET","activity":[]}}'
first_id=whevt_ogrc5v64myey69ux
second_id=whevt_phsd6w75nzfz70vy
signed() { cat "$body"; }
heads() { line X-Alchemy-Signature "$sig"; }
flaws
