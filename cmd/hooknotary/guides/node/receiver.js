// A receiver behind hooknotary serve. It listens on loopback, so that nobody passes the
// gateway, and checks the gateway all the same.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { Webhook } from 'standardwebhooks'
import { assertion } from './check.js'

const { PORT = '3000', JWKS_FILE, ASSERT_SECRET, RESIGN_SECRET, ISSUER, AUDIENCE } = process.env

// assert of the route: a signed token.
const checkAssertion = (JWKS_FILE || ASSERT_SECRET) && assertion({
  jwks: JWKS_FILE && readFileSync(JWKS_FILE, 'utf8'), secret: ASSERT_SECRET, issuer: ISSUER, audience: AUDIENCE,
})
// resign of the route: a webhook as Standard Webhooks sign it.
const webhook = RESIGN_SECRET && new Webhook(RESIGN_SECRET)
if (!checkAssertion && !webhook) throw new Error('set JWKS_FILE, ASSERT_SECRET or RESIGN_SECRET: without one, anyone could send events')

async function read(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    if ((size += chunk.length) > 1 << 20) throw new Error('the body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks) // the bytes as they came: parse them when they are checked
}

const server = createServer(async (request, response) => {
  let event, key // the same in every attempt
  try {
    const body = await read(request)
    if (checkAssertion) key = checkAssertion(request.headers['hooknotary-assertion'], body).event_key
    if (webhook) {
      webhook.verify(body, request.headers)
      key = request.headers['webhook-id']
    }
    event = JSON.parse(body)
  } catch (error) {
    console.error('refused:', error.message)
    response.writeHead(401).end()
    return
  }
  // An event may come twice, if the gateway dies at the wrong moment: then its key comes twice.
  console.log('verified', event?.type, event?.id, key)
  response.writeHead(204).end() // when the work is done, and not before
})
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening on', server.address().port))
