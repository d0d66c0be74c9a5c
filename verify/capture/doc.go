// Package capture reads and writes captured deliveries: one request of a provider
// with its exact bytes and the time at which it arrived, so that it can be verified
// again, in a unit test or years later.
//
// # The format
//
// The native format is a file with the extension ".http": a head of comments, an
// empty line, and the request as HTTP/1.1 has it on the wire.
//
//	# note: the first invoice of March
//	# received: 2026-03-01T09:30:12.25Z
//	# expect: accept
//
//	POST /hooks/stripe HTTP/1.1
//	Host: shop.example.com
//	Content-Type: application/json
//	Stripe-Signature: t=1772357412,v1=…
//	Content-Length: 1462
//
//	{"id": "evt_…
//
// The keys are note (any number of lines), received (RFC 3339), expect ("accept" or
// the label of a verify.Reason, such as "too_old") and inexact (why the body may not
// be what was signed). Other comments are for people and are skipped. The comments
// may be left out. A note or a cause that would not survive as it is, because of white
// space at its ends or of characters that do not print, stands in quotation marks, as a
// Go string.
//
// Lines of both heads end in CRLF or in LF. The body is every byte behind the head of
// the request. If there is a Content-Length, the body must be as long as it says; if
// there is "Transfer-Encoding: chunked" instead, the chunks are joined. A text editor or
// Git may change line ends and add one at the end: keep these files as they are with
// the line "*.http -text" in .gitattributes.
//
// What could be read in two ways is an error: a header field that goes on in the next
// line, a repeated Host or Content-Length, a Content-Length beside a Transfer-Encoding,
// trailers.
//
// # Other formats
//
// [Read] and [ReadFile] know the format of a file by its content. Besides the native
// one they read
//
//   - HAR 1.2: each entry whose request is a POST or has a body; one that is neither may
//     be odd;
//   - what GitHub's REST API returns for one delivery of a webhook;
//   - a request, or a list of them, as ngrok's inspector has it, whose member raw holds
//     the exact bytes;
//   - a request, or a list of them, that webhook.site exports, whose time is in UTC;
//   - the event of a Lambda function, from an API Gateway (versions 1 and 2), a function
//     URL or a load balancer. The latter has no time, and only version 2 and function
//     URLs have the query as it was sent; the URL of the others is without it;
//   - a plain request in an editor's .http file, with ### before it and no HTTP version.
//
// All but ngrok's can lose the bytes that were signed. Whatever shows that they did is in
// [Capture.Inexact]. An editor's file with variables, scripts or several requests, a log
// of curl and the text of GitHub's page of recent deliveries are refused by name.
//
// # Limits
//
// A file has at most [MaxSize] bytes. The comments and the head of a request have
// together at most 1 MiB, and a request at most 1,000 header fields. A HAR has at most
// 10,000 entries. What has more is an error. Reading a file allocates at most twenty
// times its size, and 32 MiB.
//
// # What is not in a capture
//
// The secrets that signatures are made with are never in a capture. Headers that hold
// credentials, of somebody else or of the webhook itself, are dropped when it is
// written, and a comment names them: Authorization (unless it is a signature of the
// scheme HMAC, Application or Signature), cookies, the tokens that clouds and proxies
// add, and whatever has a name that ends in Token, Secret, Password or Api-Key. A
// webhook that is authenticated by such a token, as GitLab's old ones are, does not
// verify from a file. The user information of a URL is dropped, too.
//
// All else is kept: the query of the URL, also where a token stands in it, and the body
// with whatever the provider sent, personal data too.
package capture
