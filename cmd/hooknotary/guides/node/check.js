// Checks what hooknotary serve says about a request. Each function throws if it does not hold.
import { createHash, createPublicKey } from 'node:crypto'
import jwt from 'jsonwebtoken'

// assertion returns a check of the gateway's assertion, whose claims it returns.
//
//   jwks     the gateway's public keys: the text of /.well-known/jwks.json
//   secret   in their place, the secret that the gateway shares with this receiver (HS256)
//   issuer   assertion.issuer of the gateway's file
//   audience assert.audience of the route
export function assertion({ jwks, secret, issuer, audience }) {
  if (!jwks === !secret || !issuer || !audience) throw new Error('want jwks or secret, issuer and audience')
  if (secret && Buffer.byteLength(secret) < 32) throw new Error('the secret has less than 32 bytes')
  const keys = new Map()
  for (const key of jwks ? JSON.parse(jwks).keys : []) {
    if (key.alg === 'ES256') keys.set(key.kid, createPublicKey({ key, format: 'jwk' }))
  }
  const algorithm = secret ? 'HS256' : 'ES256' // ours, and not the token's
  const used = new Map() // jti, and when it is over

  return function check(token, body) {
    const kid = jwt.decode(token, { complete: true })?.header.kid
    const key = secret ?? keys.get(kid)
    if (!key) throw new Error('no key')
    const { header, payload } = jwt.verify(token, key, {
      algorithms: [algorithm], issuer, audience, clockTolerance: 30, maxAge: 90, complete: true,
    })
    if (header.typ !== 'hooknotary+jwt') throw new Error('another kind of token')
    const sum = createHash('sha256').update(body).digest('base64url') // no secret
    if (payload.body_sha256 !== sum) throw new Error('another body')

    const now = Date.now() / 1000
    if (!(payload.iat <= now + 30)) throw new Error('from the future') // which jsonwebtoken does not look at

    // A token counts once. Whoever saw the request on its way cannot send it again.
    for (const [jti, over] of used) {
      if (over > now) break // the rest is younger
      used.delete(jti)
    }
    if (typeof payload.jti !== 'string' || used.has(payload.jti)) throw new Error('the token was used before')
    used.set(payload.jti, payload.exp + 31)
    return payload
  }
}
