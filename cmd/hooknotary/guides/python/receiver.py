"""A receiver behind hooknotary serve.

It listens on loopback, so that nobody passes the gateway, and checks the gateway all the same.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from check import Assertion, Refused, StandardWebhook

env = os.environ
checks = []
if env.get("ASSERT_SECRET"):  # assert of the route: a signed token
    assertion = Assertion(env["ASSERT_SECRET"], env["ISSUER"], env["AUDIENCE"])
    checks.append(lambda headers, body: assertion.check(headers["hooknotary-assertion"], body)["event_key"])
if env.get("RESIGN_SECRET"):  # resign of the route: a webhook as Standard Webhooks sign it
    checks.append(StandardWebhook(env["RESIGN_SECRET"]).check)
if not checks:
    sys.exit("set ASSERT_SECRET or RESIGN_SECRET: without one, anyone could send events")


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        try:
            length = int(self.headers["content-length"])
            if not 0 <= length <= 1 << 20:
                raise Refused("the body is too large")
            body = self.rfile.read(length)  # the bytes as they came
            for check in checks:
                key = check(self.headers, body)  # the same in every attempt
            event = json.loads(body)  # when they are checked, and not before
        except (Refused, ValueError, TypeError) as error:
            print("refused:", error, file=sys.stderr, flush=True)
            self.answer(401)
            return
        # An event may come twice, if the gateway dies at the wrong moment: then its key comes twice.
        print("verified", event["type"], event["id"], key, flush=True)
        self.answer(204)  # when the work is done, and not before

    def answer(self, status):
        self.send_response(status)
        if status != 204:
            self.send_header("content-length", "0")
            self.send_header("connection", "close")  # there may be a body that nobody reads
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(env.get("PORT", "3000"))), Receiver)
print("listening on", server.server_address[1], flush=True)
server.serve_forever()
