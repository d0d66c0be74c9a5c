package rawtest

import (
	"fmt"
	"strings"
)

// A rawCase is what a sender writes to a connection, and what may come of it.
//
// raw is a text in which each line ends with CR LF. <LF>, <CR>, <NUL>, <TAB>, <SP> and <hh>,
// two hexadecimal digits, are single bytes; {path}, {host}, {type} (a Content-Type line), {sig}
// (a line with a genuine signature over the body), {len} and {hex} (the length of the body),
// {body} and {chunks} (the body in chunks) are what their names say.
type rawCase struct {
	name string
	raw  string

	// status lists the responses, "401", "100 200", "200 405"; "-" is none. Alternatives
	// stand behind "|".
	status string

	body   string // "" is a plain event; {event} is its id
	signed string // what is signed in place of the body, if it is not the body

	closes  bool // the sender says no more, and closes its side at once
	untyped bool // the delivery has no media type

	nameless bool // the body has no id of an event

	// own: a 200 is the server's own and nothing reaches the receiver. In all other cases the
	// receiver sees one request for a 200, and none for anything else.
	own bool

	// gateway: the case is about routes, which a handler alone does not have.
	gateway bool
}

const (
	start = "POST {path} HTTP/1.1\n"
	host  = "Host: {host}\n"
	hooks = "{type}\n{sig}\n"
	sized = "Content-Length: {len}\n"

	// unsigned is a request that an attacker would like somebody to see.
	unsigned = "POST {path} HTTP/1.1\nHost: {host}\n{type}\nX-Smuggled: smuggled\nContent-Length: 2\n\n{}"
)

// with is a genuine delivery with further lines in its head.
func with(lines string) string {
	if lines != "" && !strings.HasSuffix(lines, "\n") {
		lines += "\n"
	}
	return start + host + hooks + sized + lines + "\n{body}"
}

// framed is a genuine delivery whose body has these lines in the place of Content-Length.
func framed(lines, body string) string { return start + host + hooks + lines + "\n\n" + body }

// line is a genuine delivery with another request line.
func line(line string) string { return line + "\n" + host + hooks + sized + "\n{body}" }

// hosted is a genuine delivery with these lines in the place of Host.
func hosted(lines string) string { return start + lines + hooks + sized + "\n{body}" }

// cases returns all of them.
func cases() []rawCase {
	all := []rawCase{
		{name: "a genuine delivery", raw: with(""), status: "200"},
		{name: "a genuine delivery in chunks", raw: framed("Transfer-Encoding: chunked", "{chunks}"), status: "200"},
		{name: "an unsigned request", raw: start + host + "{type}\n" + sized + "\n{body}", status: "401"},
		{name: "a signature over something else", raw: with(""), signed: "{}", status: "401"},

		// Two lengths.
		{name: "Content-Length and chunks", raw: framed("Content-Length: {len}\nTransfer-Encoding: chunked", "{chunks}"), status: "200|400"},
		{name: "chunks and Content-Length", raw: framed("Transfer-Encoding: chunked\nContent-Length: {len}", "{chunks}"), status: "200|400"},
		{name: "Content-Length and chunks, signed by its Content-Length", raw: framed("Content-Length: {len}\nTransfer-Encoding: chunked", "{body}"), status: "400|401", closes: true},
		{name: "Content-Length 0 and chunks", raw: framed("Content-Length: 0\nTransfer-Encoding: chunked", "{chunks}"), status: "200|400"},
		{name: "a Content-Length that hides a request behind the last chunk", raw: framed("Content-Length: 300\nTransfer-Encoding: chunked", "{chunks}"+unsigned), status: "200|400|200 401"},
		{name: "a Content-Length that leaves a request in the chunks", raw: framed("Content-Length: 4\nTransfer-Encoding: chunked", "{chunks}"), status: "200|400"},
		{name: "two equal Content-Lengths", raw: framed("Content-Length: {len}\nContent-Length: {len}", "{body}"), status: "200|400"},
		{name: "two Content-Lengths", raw: framed("Content-Length: {len}\nContent-Length: 2", "{body}"), status: "400"},
		{name: "two Content-Lengths, the other one first", raw: framed("Content-Length: 2\nContent-Length: {len}", "{body}"), status: "400"},
		{name: "two Content-Lengths in two spellings", raw: framed("Content-Length: {len}\ncontent-length: 2", "{body}"), status: "400"},
		{name: "a list of equal Content-Lengths", raw: framed("Content-Length: {len}, {len}", "{body}"), status: "400"},
		{name: "a list of Content-Lengths", raw: framed("Content-Length: {len}, 2", "{body}"), status: "400"},
		{name: "a Content-Length with a plus", raw: framed("Content-Length: +{len}", "{body}"), status: "400"},
		{name: "a negative Content-Length", raw: framed("Content-Length: -{len}", "{body}"), status: "400"},
		{name: "a Content-Length of minus zero", raw: framed("Content-Length: -0", "{body}"), status: "400"},
		{name: "a hexadecimal Content-Length", raw: framed("Content-Length: 0x{hex}", "{body}"), status: "400"},
		{name: "a Content-Length with a fraction", raw: framed("Content-Length: {len}.0", "{body}"), status: "400"},
		{name: "a Content-Length with an exponent", raw: framed("Content-Length: {len}e0", "{body}"), status: "400"},
		{name: "a Content-Length with an underscore", raw: framed("Content-Length: 0_{len}", "{body}"), status: "400"},
		{name: "a Content-Length with a space within", raw: framed("Content-Length: 1 {len}", "{body}"), status: "400"},
		{name: "a Content-Length with a parameter", raw: framed("Content-Length: {len};a=b", "{body}"), status: "400"},
		{name: "a Content-Length in other digits", raw: framed("Content-Length: <ef><bc><95><ef><bc><95>", "{body}"), status: "400"},
		{name: "an empty Content-Length", raw: framed("Content-Length:", "{body}"), status: "400|401"},
		{name: "a Content-Length with leading zeros", raw: framed("Content-Length: 000{len}", "{body}"), status: "200|400"},
		{name: "a Content-Length between tabs", raw: framed("Content-Length:<TAB>{len}<TAB>", "{body}"), status: "200|400"},
		{name: "a Content-Length beyond 63 bits", raw: framed("Content-Length: 9223372036854775808", "{body}"), status: "400"},
		{name: "a Content-Length that wraps around 64 bits", raw: framed("Content-Length: 184467440737095516160", "{body}"), status: "400"},
		{name: "a Content-Length of an exabyte", raw: framed("Content-Length: 1000000000000000000", "{body}"), status: "413"},
		{name: "a space before the colon of Content-Length", raw: framed("Content-Length : {len}", "{body}"), status: "400"},
		{name: "a tab before the colon of Content-Length", raw: framed("Content-Length<TAB>: {len}", "{body}"), status: "400"},
		{name: "Content_Length beside Content-Length", raw: framed("Content_Length: 2\nContent-Length: {len}", "{body}"), status: "200|400"},
		{name: "Content_Length alone", raw: framed("Content_Length: {len}", "{body}"), status: "401|401 400"},
		{name: "no length at all", raw: start + host + hooks + "\n{body}", status: "401|401 400"},
		{name: "a Content-Length that is too short", raw: framed("Content-Length: 9", "{body}"), status: "401|401 400"},
		{name: "a Content-Length that is too long", raw: framed("Content-Length: 9999", "{body}"), status: "400", closes: true},

		// Chunks.
		{name: "a chunk with an extension", raw: framed("Transfer-Encoding: chunked", "{hex};a=b\n{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk with an extension in quotes", raw: framed("Transfer-Encoding: chunked", "{hex};a=\"0\"\n{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk with an extension that ends with LF", raw: framed("Transfer-Encoding: chunked", "{hex};a=<LF>{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk with a CR in its extension", raw: framed("Transfer-Encoding: chunked", "{hex};a=<CR>b\n{body}\n0\n\n"), status: "400"},
		{name: "a last chunk with an extension", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0;smuggled\n\n"), status: "200|400"},
		{name: "an extension of 16 KiB", raw: framed("Transfer-Encoding: chunked", "{hex};a="+strings.Repeat("b", 16<<10)+"\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size in capitals", raw: framed("Transfer-Encoding: chunked", "{HEX}\n{body}\n0\n\n"), status: "200"},
		{name: "a chunk size with leading zeros", raw: framed("Transfer-Encoding: chunked", "000{hex}\n{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk size with a prefix", raw: framed("Transfer-Encoding: chunked", "0x{hex}\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size with a plus", raw: framed("Transfer-Encoding: chunked", "+{hex}\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size with a minus", raw: framed("Transfer-Encoding: chunked", "-{hex}\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size with a space before", raw: framed("Transfer-Encoding: chunked", " {hex}\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size with a space behind", raw: framed("Transfer-Encoding: chunked", "{hex} \n{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk size with a tab behind", raw: framed("Transfer-Encoding: chunked", "{hex}<TAB>\n{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk size with an underscore", raw: framed("Transfer-Encoding: chunked", "0_{hex}\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size with a NUL", raw: framed("Transfer-Encoding: chunked", "{hex}<NUL>\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size of 17 digits", raw: framed("Transfer-Encoding: chunked", "100000000000000{hex}\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size of 64 bits", raw: framed("Transfer-Encoding: chunked", "ffffffffffffffff\n{body}\n0\n\n"), status: "400|413", closes: true},
		{name: "an empty chunk size", raw: framed("Transfer-Encoding: chunked", "\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size that is none", raw: framed("Transfer-Encoding: chunked", "zz\n{body}\n0\n\n"), status: "400"},
		{name: "a chunk size that ends with LF", raw: framed("Transfer-Encoding: chunked", "{hex}<LF>{body}\n0\n\n"), status: "200|400"},
		{name: "a chunk that ends with LF", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}<LF>0\n\n"), status: "400"},
		{name: "a chunk that ends with CR", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}<CR>0\n\n"), status: "400"},
		{name: "a chunk that ends with other bytes", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}XX0\n\n"), status: "400"},
		{name: "a chunk that ends at once", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}0\n\n"), status: "400"},
		{name: "a chunk that is shorter than its size", raw: framed("Transfer-Encoding: chunked", "fff\n{body}\n0\n\n"), status: "400", closes: true},
		{name: "a chunk that is longer than its size", raw: framed("Transfer-Encoding: chunked", "1\n{body}\n0\n\n"), status: "400"},
		{name: "chunks without a last one", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n"), status: "400", closes: true},
		{name: "chunks whose last line is missing", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0\n"), status: "400", closes: true},
		{name: "chunks of one byte", raw: framed("Transfer-Encoding: chunked", "{bytes}0\n\n"), status: "200"},
		{name: "two last chunks", raw: framed("Transfer-Encoding: chunked", "{chunks}0\n\n"), status: "200 400|200"},
		{name: "a trailer", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0\nX-Smuggled: smuggled\n\n"), status: "200|400"},
		{name: "a trailer with an identity header", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0\nHooknotary-Event-Id: smuggled\n\n"), status: "200|400"},
		{name: "a trailer that is announced", raw: framed("Trailer: Hooknotary-Scope\nTransfer-Encoding: chunked", "{hex}\n{body}\n0\nHooknotary-Scope: smuggled\n\n"), status: "200|400"},
		{name: "a trailer with a length", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0\nContent-Length: 2\n\n"), status: "200|400"},
		{name: "a trailer with a signature", raw: start + host + "{type}\nTrailer: Stripe-Signature\nTransfer-Encoding: chunked\n\n{hex}\n{body}\n0\n{sig}\n\n", status: "401"},
		{name: "a trailer that is announced and forbidden", raw: framed("Trailer: Content-Length\nTransfer-Encoding: chunked", "{chunks}"), status: "200|400"},
		{name: "a trailer that is no header", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0\nsmuggled\n\n"), status: "400"},
		{name: "a trailer of 64 KiB", raw: framed("Transfer-Encoding: chunked", "{hex}\n{body}\n0\nX-Smuggled: "+strings.Repeat("smuggled", 8<<10)+"\n\n"), status: "200|400|413|431"},

		// The lines of a head.
		{name: "lines that end with LF", raw: strings.ReplaceAll(start+host+hooks+sized+"\n", "\n", "<LF>") + "{body}", status: "200|400"},
		{name: "one line that ends with LF", raw: with("X-Smuggled: smuggled<LF>X-Other: smuggled"), status: "200|400"},
		{name: "an LF that would begin an identity header", raw: with("X-Smuggled: smuggled<LF>Hooknotary-Scope: smuggled"), status: "200|400"},
		{name: "an LF that begins other chunks", raw: with("X-Smuggled: smuggled<LF>Transfer-Encoding: chunked"), status: "400", closes: true},
		{name: "lines that end with CR", raw: strings.ReplaceAll(start+host+hooks+sized+"\n", "\n", "<CR>") + "{body}", status: "400|-", closes: true},
		{name: "a CR in a value", raw: with("X-Smuggled: smuggled<CR>Hooknotary-Scope: smuggled"), status: "400"},
		{name: "a CR in the media type", raw: start + host + "Content-Type: application/json<CR>X-Smuggled: smuggled\n{sig}\n" + sized + "\n{body}", status: "400"},
		{name: "a CR before the end of a line", raw: with("X-Smuggled: smuggled<CR>"), status: "400"},
		{name: "a NUL in a value", raw: with("X-Smuggled: smug<NUL>gled"), status: "400"},
		{name: "a NUL in a name", raw: with("X-Smug<NUL>gled: smuggled"), status: "400"},
		{name: "a NUL in the media type", raw: start + host + "Content-Type: application/json<NUL>\n{sig}\n" + sized + "\n{body}", status: "400"},
		{name: "a control character in a value", raw: with("X-Smuggled: smug<01>gled"), status: "400"},
		{name: "a DEL in a value", raw: with("X-Smuggled: smug<7f>gled"), status: "400"},
		{name: "bytes beyond ASCII in a value", raw: with("X-Smuggled: smug<ff><fe>gled"), status: "200|400"},
		{name: "bytes beyond ASCII in a name", raw: with("X-Smugg<c3><a9>led: smuggled"), status: "400"},
		{name: "a space in a name", raw: with("X Smuggled: smuggled"), status: "400"},
		{name: "a space before a colon", raw: with("Hooknotary-Scope : smuggled"), status: "400"},
		{name: "a name in quotes", raw: with("\"Hooknotary-Scope\": smuggled"), status: "400"},
		{name: "a line without a colon", raw: with("smuggled"), status: "400"},
		{name: "a line without a name", raw: with(": smuggled"), status: "400"},
		{name: "a first line that is folded", raw: start + " X-Smuggled: smuggled\n" + host + hooks + sized + "\n{body}", status: "400"},
		{name: "a folded line", raw: with("X-Smuggled: smuggled\n Hooknotary-Scope: smuggled"), status: "200|400"},
		{name: "a folded media type", raw: start + host + "Content-Type:\n application/json\n{sig}\n" + sized + "\n{body}", status: "200|400"},
		{name: "a folded Content-Length", raw: framed("Content-Length:\n {len}", "{body}"), status: "200|400"},
		{name: "a folded Host", raw: hosted("Host:\n {host}\n"), status: "200|400"},
		{name: "a fold of a tab before chunks", raw: framed("X-Smuggled: smuggled\n<TAB>Transfer-Encoding: chunked\nContent-Length: {len}", "{body}"), status: "200|400"},
		{name: "a head that does not end", raw: start + host + hooks + sized, status: "400|-", closes: true},
		{name: "an empty line before", raw: "\n" + with(""), status: "200|400"},
		{name: "an LF before", raw: "<LF>" + with(""), status: "400"},
		{name: "ten empty lines before", raw: strings.Repeat("\n", 10) + with(""), status: "200|400"},
		{name: "a line without a name at the end", raw: with("X-Smuggled: smuggled\n:"), status: "400"},
		{name: "a vertical tab as white space", raw: framed("Content-Length:<0b>{len}", "{body}"), status: "400"},

		// The request line.
		{name: "two spaces before the path", raw: line("POST  {path} HTTP/1.1"), status: "400"},
		{name: "two spaces behind the path", raw: line("POST {path}  HTTP/1.1"), status: "400"},
		{name: "a tab before the path", raw: line("POST<TAB>{path} HTTP/1.1"), status: "400"},
		{name: "a space behind the version", raw: line("POST {path} HTTP/1.1 "), status: "400"},
		{name: "a space before the method", raw: line(" POST {path} HTTP/1.1"), status: "400"},
		{name: "a fourth word", raw: line("POST {path} HTTP/1.1 smuggled"), status: "400"},
		{name: "a path with a space", raw: line("POST {path} smuggled HTTP/1.1"), status: "400"},
		{name: "no version, as in HTTP/0.9", raw: line("POST {path}"), status: "400"},
		{name: "a GET of HTTP/0.9", raw: "GET {path}\n\n", status: "400"},
		{name: "HTTP/1.0", raw: line("POST {path} HTTP/1.0"), status: "200"},
		{name: "HTTP/1.0 without a Host", raw: "POST {path} HTTP/1.0\n" + hooks + sized + "\n{body}", status: "200|400"},
		{name: "HTTP/1.0 with chunks", raw: "POST {path} HTTP/1.0\n" + host + hooks + "Transfer-Encoding: chunked\n\n{chunks}", status: "400|401|200"},
		{name: "HTTP/1.0 with a Content-Length and chunks", raw: "POST {path} HTTP/1.0\n" + host + hooks + sized + "Transfer-Encoding: chunked\n\n{body}", status: "200|400|401"},
		{name: "HTTP/1.2", raw: line("POST {path} HTTP/1.2"), status: "200|505|400"},
		{name: "HTTP/2.0", raw: line("POST {path} HTTP/2.0"), status: "505|400"},
		{name: "HTTP/3", raw: line("POST {path} HTTP/3"), status: "400"},
		{name: "HTTP/1.01", raw: line("POST {path} HTTP/1.01"), status: "400"},
		{name: "HTTP/11", raw: line("POST {path} HTTP/11"), status: "400"},
		{name: "http/1.1", raw: line("POST {path} http/1.1"), status: "400"},
		{name: "another protocol", raw: line("POST {path} RTSP/1.0"), status: "400"},
		{name: "a NUL in the path", raw: line("POST {path}<NUL> HTTP/1.1"), status: "400"},
		{name: "an LF in the path", raw: line("POST {path}<LF>X-Smuggled: smuggled HTTP/1.1"), status: "400"},
		{name: "a CR in the path", raw: line("POST {path}<CR>smuggled HTTP/1.1"), status: "400"},
		{name: "no method", raw: line(" {path} HTTP/1.1"), status: "400"},
		{name: "nothing but a line", raw: "\n\n", status: "400|-"},
		{name: "the handshake of TLS", raw: "<16><03><01><00><05><01><00><00><01><00>\n\n", status: "400"},

		// Hosts.
		{name: "no Host", raw: hosted(""), status: "400"},
		{name: "two equal Hosts", raw: hosted(host + host), status: "400"},
		{name: "two Hosts", raw: hosted(host + "Host: smuggled.example\n"), status: "400"},
		{name: "two Hosts, the other one first", raw: hosted("Host: smuggled.example\n" + host), status: "400"},
		{name: "two Hosts in two spellings", raw: hosted(host + "hOST: smuggled.example\n"), status: "400"},
		{name: "an empty Host", raw: hosted("Host:\n"), status: "200|400|421"},
		{name: "another Host", raw: hosted("Host: smuggled.example\n"), status: "200|421"},
		{name: "a Host with a path", raw: hosted("Host: smuggled.example/smuggled\n"), status: "400|421"},
		{name: "a Host with user info", raw: hosted("Host: smuggled@{host}\n"), status: "200|400|421"},
		{name: "a Host with a comma", raw: hosted("Host: {host},smuggled.example\n"), status: "200|400|421"},
		{name: "a Host with a space", raw: hosted("Host: {host} smuggled.example\n"), status: "400|421"},
		{name: "a Host with a NUL", raw: hosted("Host: {host}<NUL>\n"), status: "400"},
		{name: "a Host with a bad port", raw: hosted("Host: smuggled.example:smuggled\n"), status: "200|400|421"},
		{name: "a space before the colon of Host", raw: hosted("Host : {host}\n"), status: "400"},
		{name: "the absolute form", raw: line("POST http://{host}{path} HTTP/1.1"), status: "200"},
		{name: "the absolute form with another host", raw: line("POST http://smuggled.example{path} HTTP/1.1"), status: "200|400|421"},
		{name: "the absolute form with another scheme", raw: line("POST https://smuggled.example{path} HTTP/1.1"), status: "200|400|421"},
		{name: "the absolute form with user info", raw: line("POST http://smuggled:smuggled@{host}{path} HTTP/1.1"), status: "200|400|421"},
		{name: "the absolute form of a file", raw: line("POST file://{path} HTTP/1.1"), status: "200|400|404|421"},
		{name: "the absolute form without a Host", raw: "POST http://{host}{path} HTTP/1.1\n" + hooks + sized + "\n{body}", status: "200|400"},
		{name: "the authority form", raw: line("POST {host} HTTP/1.1"), status: "400|404"},
		{name: "a CONNECT", raw: line("CONNECT smuggled.example:443 HTTP/1.1"), status: "400|404|405"},
		{name: "an asterisk", raw: line("POST * HTTP/1.1"), status: "400|404|405", gateway: true},
		{name: "OPTIONS and an asterisk", raw: line("OPTIONS * HTTP/1.1"), status: "200|400|404|405", own: true},
		{name: "a host in the path", raw: line("POST //smuggled.example{path} HTTP/1.1"), status: "400|404", gateway: true},

		// Other protocols and a go-ahead.
		{name: "an upgrade to h2c", raw: with("Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"), status: "200"},
		{name: "an upgrade to h2c that is not listed", raw: with("Upgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"), status: "200"},
		{name: "an upgrade to a WebSocket", raw: with("Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: c211Z2dsZWRzbXVnZ2xlZA=="), status: "200"},
		{name: "an upgrade to TLS", raw: with("Connection: Upgrade\nUpgrade: TLS/1.0"), status: "200"},
		{name: "the preface of HTTP/2", raw: "PRI * HTTP/2.0\n\nSM\n\n<00><00><00><04><00><00><00><00><00>", status: "400|404|405|505|-"},
		{name: "the preface of HTTP/2 behind a delivery", raw: with("") + "PRI * HTTP/2.0\n\nSM\n\n", status: "200 400|200 404|200 405|200 505|200"},
		{name: "a delivery that waits for the go-ahead", raw: with("Expect: 100-continue"), status: "100 200|200"},
		{name: "the go-ahead in capitals", raw: with("Expect: 100-CONTINUE"), status: "100 200|200"},
		{name: "another expectation", raw: with("Expect: smuggled"), status: "417|400"},
		{name: "two expectations", raw: with("Expect: 100-continue\nExpect: smuggled"), status: "100 200|200|417|400"},
		{name: "a list of expectations", raw: with("Expect: 100-continue, smuggled"), status: "100 200|200|417|400"},
		{name: "an unsigned request that waits for the go-ahead", raw: start + host + "{type}\nExpect: 100-continue\n" + sized + "\n", status: "401"},

		// What Connection lists is not what we write.
		{name: "Connection lists an identity header", raw: with("Connection: Hooknotary-Event-Id"), status: "200"},
		{name: "Connection lists all identity headers", raw: with("Connection: Hooknotary-Route, Hooknotary-Provider, Hooknotary-Scope, Hooknotary-Key-Label, Hooknotary-Event-Id, Hooknotary-Event-Key, Hooknotary-Binding, Hooknotary-Delivery"), status: "200"},
		{name: "Connection lists Content-Length", raw: with("Connection: Content-Length"), status: "200"},
		{name: "Connection lists Host", raw: with("Connection: Host"), status: "200"},
		{name: "Connection lists Authorization", raw: with("Connection: Authorization\nAuthorization: Bearer smuggled"), status: "200"},
		{name: "Connection lists the signature", raw: with("Connection: Stripe-Signature"), status: "200"},
		{name: "Connection lists the media type", raw: with("Connection: close, Content-Type"), status: "200"},
		{name: "Connection lists X-Forwarded-For", raw: with("Connection: X-Forwarded-For\nX-Forwarded-For: smuggled"), status: "200"},
		{name: "Connection of a proxy", raw: with("Proxy-Connection: keep-alive\nKeep-Alive: timeout=5, smuggled"), status: "200"},
		{name: "two Connections", raw: with("Connection: keep-alive\nConnection: close"), status: "200"},
		{name: "TE", raw: with("TE: trailers, smuggled"), status: "200"},
		{name: "Trailer without chunks", raw: with("Trailer: Hooknotary-Scope"), status: "200|400"},

		// Signatures and media types.
		{name: "two signatures", raw: with("{sig}"), status: "401"},
		{name: "a signature and another one", raw: with("Stripe-Signature: t=1,v1=smuggled"), status: "401"},
		{name: "another signature before", raw: start + host + "Stripe-Signature: t=1,v1=smuggled\n" + hooks + sized + "\n{body}", status: "401"},
		{name: "a signature with underscores", raw: start + host + "{type}\nStripe_Signature: {value}\n" + sized + "\n{body}", status: "401"},
		{name: "a signature with underscores beside the genuine one", raw: with("Stripe_Signature: smuggled"), status: "200"},
		{name: "a signature in lower case", raw: start + host + "{type}\nstripe-signature: {value}\n" + sized + "\n{body}", status: "200"},
		{name: "a signature in the query", raw: "POST {path}?Stripe-Signature={value} HTTP/1.1\n" + host + "{type}\n" + sized + "\n{body}", status: "401"},
		{name: "two media types", raw: with("Content-Type: text/plain"), status: "400|415"},
		{name: "two equal media types", raw: with("{type}"), status: "200|400|415"},
		{name: "another media type", raw: start + host + "Content-Type: text/smuggled\n{sig}\n" + sized + "\n{body}", status: "415"},
		{name: "no media type", raw: start + host + "{sig}\n" + sized + "\n{body}", status: "200|415", untyped: true},
		{name: "a compressed body that is none", raw: with("Content-Encoding: gzip"), status: "400|415"},
		{name: "a body encoded as identity", raw: with("Content-Encoding: identity"), status: "200|415"},
		{name: "an unknown encoding", raw: with("Content-Encoding: smuggled"), status: "415"},

		// More than one request.
		{name: "an unsigned request behind a delivery", raw: with("") + unsigned, status: "200 401|200"},
		{name: "the same delivery behind a delivery", raw: with("") + with(""), status: "200 409|200"},
		{name: "a GET behind a delivery", raw: with("") + "GET {path} HTTP/1.1\n" + host + "\n", status: "200 405|200"},
		{name: "a request without a head behind a delivery", raw: with("") + "smuggled\n\n", status: "200 400|200"},
		{name: "an unsigned request behind a delivery in chunks", raw: framed("Transfer-Encoding: chunked", "{chunks}"+unsigned), status: "200 401|200"},
		{name: "an unsigned request behind a delivery that closes", raw: with("Connection: close") + unsigned, status: "200"},
		{name: "a delivery behind an unsigned request", raw: unsigned + with(""), status: "401 200|401"},
		{name: "a request in a body that is signed", body: "{\"id\":\"{event}\",\"object\":\"event\",\"text\":\"\r\n\r\nPOST /receiver HTTP/1.1\r\nHost: upstream\r\nContent-Length: 0\r\n\r\n\"}", raw: with(""), status: "200"},
		{name: "chunks in a body that is signed", body: "0\r\n\r\nPOST /receiver HTTP/1.1\r\nHost: upstream\r\n\r\n", raw: with(""), status: "200", nameless: true},
		{name: "a body of NULs", body: strings.Repeat("\x00", 4096), raw: with(""), status: "200", nameless: true},
		{name: "a body of 200 KiB", body: strings.Repeat("smuggled", 25<<10), raw: with(""), status: "200", nameless: true},

		// Methods.
		{name: "post", raw: line("post {path} HTTP/1.1"), status: "405|400"},
		{name: "Post", raw: line("Post {path} HTTP/1.1"), status: "405|400"},
		{name: "a method with a prefix", raw: line("XPOST {path} HTTP/1.1"), status: "405|400"},
		{name: "a method with a NUL", raw: line("POST<NUL> {path} HTTP/1.1"), status: "400"},
		{name: "a method with a slash", raw: line("PO/ST {path} HTTP/1.1"), status: "400"},
		{name: "a GET that a header makes a POST", raw: "GET {path} HTTP/1.1\nX-HTTP-Method-Override: POST\n" + host + hooks + sized + "\n{body}", status: "405"},
		{name: "a method that a header overrides", raw: with("X-HTTP-Method-Override: DELETE\nX-Method-Override: smuggled"), status: "200"},
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY"} {
		all = append(all, rawCase{name: "a genuine delivery as " + method, raw: line(method + " {path} HTTP/1.1"), status: "405"})
	}

	// Transfer-Encoding in all its spellings. The body is signed as it stands on the wire
	// where nobody may read chunks, and what the chunks hold where somebody may.
	for _, value := range []string{
		"xchunked", "chunkedx", "identity", "identity, chunked", "chunked, identity", "gzip, chunked", "chunked, chunked",
		"chunked;q=1", "\"chunked\"", "chunked,", ", chunked", "chunked chunked", "<0b>chunked", "<0c>chunked", "chunked<NUL>", "chunked<CR>", "<e2><80><8b>chunked", "",
	} {
		all = append(all, rawCase{
			name: fmt.Sprintf("Transfer-Encoding %q beside a Content-Length", value),
			raw:  framed("Content-Length: {len}\nTransfer-Encoding: "+value, "{body}"), status: "400|501",
		})
	}
	for _, spelling := range []string{"Transfer-Encoding: Chunked", "TRANSFER-ENCODING: CHUNKED", "transfer-encoding:chunked", "Transfer-Encoding: <TAB>chunked", "Transfer-Encoding: chunked<TAB> ", "Transfer-Encoding:\n chunked", "X-Smuggled: smuggled<LF>Transfer-Encoding: chunked"} {
		all = append(all, rawCase{
			name: fmt.Sprintf("chunks as %q", spelling),
			raw:  framed(spelling, "{chunks}"), status: "200|400|501",
		})
	}
	for _, spelling := range []string{"Transfer-Encoding : chunked", "Transfer-Encoding<TAB>: chunked", " Transfer-Encoding: chunked", "Transfer-Encoding: chunked\nTransfer-Encoding: identity", "Transfer-Encoding: identity\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\nTransfer-Encoding: chunked", "Transfer-Encoding\n: chunked", "Transfer-Encoding: cow", "X: y<CR>Transfer-Encoding: chunked", "Transfer-Encoding<NUL>: chunked"} {
		all = append(all, rawCase{
			name: fmt.Sprintf("chunks as %q", spelling),
			raw:  framed(spelling, "{chunks}"), status: "400|401|501",
		})
	}
	all = append(all, rawCase{
		name: "chunks under a name with an underscore",
		raw:  framed("Content-Length: {len}\nTransfer_Encoding: chunked", "{body}"), status: "200",
	})

	// Headers that others read. None of them leaves.
	for _, name := range []string{
		"Hooknotary-Route", "Hooknotary-Provider", "Hooknotary-Scope", "Hooknotary-Key-Label", "Hooknotary-Event-Id", "Hooknotary-Event-Key",
		"Hooknotary-Signed-At", "Hooknotary-Received-At", "Hooknotary-Binding", "Hooknotary-Delivery", "Hooknotary-Assertion", "Hooknotary-Else",
		"hooknotary-event-id", "HOOKNOTARY-EVENT-ID", "Hooknotary_Event_Id", "hooknotary_scope", "Hooknotary-Event_Id", "HooknotaryEventId", "Http-Hooknotary-Scope",
		"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Svix-Id",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X_Forwarded_For",
		"X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Forwarded", "Via", "Traceparent", "Tracestate", "Baggage", "B3", "X-Request-Id", "X-Amzn-Trace-Id",
		"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Request-User", "Remote-User", "X-Remote-User", "Ssl-Client-Verify",
		"X-Original-Url", "X-Rewrite-Url", "X-Accel-Redirect", "X-Sendfile", "X-Http-Method-Override",
		"Idempotency-Key", "X-Idempotency-Key", "Accept-Encoding", "Accept", "Accept-Language", "User-Agent", "Referer", "Origin", "From", "Range", "If-None-Match", "If-Match", "Prefer", "Max-Forwards", "Te", "Location", "Date", "Proxy", "Server",
	} {
		all = append(all, rawCase{name: "a header " + name + " of the sender", raw: with(name + ": smuggled"), status: "200"})
	}
	all = append(all,
		rawCase{name: "every identity header twice", raw: with(strings.Repeat("Hooknotary-Event-Id: smuggled\nHooknotary-Scope: smuggled\n", 2)), status: "200"},
		rawCase{name: "an identity header before all others", raw: start + "Hooknotary-Event-Id: smuggled\n" + host + hooks + sized + "\n{body}", status: "200"},
		rawCase{name: "an identity header that is empty", raw: with("Hooknotary-Event-Id:"), status: "200"},

		// Heads that are too large.
		rawCase{name: "a header of 7 KiB", raw: with("X-Smuggled: " + strings.Repeat("smuggled", 7<<7)), status: "200"},
		rawCase{name: "100 headers", raw: with(strings.Repeat("X-Smuggled: smuggled\n", 100)), status: "200"},
		rawCase{name: "a query of 7 KiB", raw: line("POST {path}?" + strings.Repeat("smuggled", 7<<7) + " HTTP/1.1"), status: "200"},
		rawCase{name: "a header of 16 KiB", raw: with("X-Smuggled: " + strings.Repeat("smuggled", 2<<10)), status: "200|431"},
		rawCase{name: "a header of 64 KiB", raw: with("X-Smuggled: " + strings.Repeat("smuggled", 8<<10)), status: "431"},
		rawCase{name: "a name of 64 KiB", raw: with(strings.Repeat("Smuggled", 8<<10) + ": 1"), status: "431"},
		rawCase{name: "500 headers", raw: with(strings.Repeat("X-Smuggled: smuggled\n", 500)), status: "200|431"},
		rawCase{name: "10,000 headers", raw: with(strings.Repeat("X-Smuggled: smuggled\n", 10_000)), status: "431"},
		rawCase{name: "a path of 64 KiB", raw: line("POST {path}?" + strings.Repeat("smuggled", 8<<10) + " HTTP/1.1"), status: "431|414|400"},
		rawCase{name: "a method of 64 KiB", raw: line(strings.Repeat("SMUGGLED", 8<<10) + " {path} HTTP/1.1"), status: "431|400"},

		// Queries. None of them leaves.
		rawCase{name: "a query", raw: line("POST {path}?smuggled=1 HTTP/1.1"), status: "200"},
		rawCase{name: "an empty query", raw: line("POST {path}? HTTP/1.1"), status: "200"},
		rawCase{name: "a query of 16 KiB", raw: line("POST {path}?" + strings.Repeat("smuggled&", 2<<10) + " HTTP/1.1"), status: "200|431"},
		rawCase{name: "a query that is no query", raw: line("POST {path}?%zz&;smuggled HTTP/1.1"), status: "200|400"},
		rawCase{name: "a query with a second one", raw: line("POST {path}?smuggled?smuggled HTTP/1.1"), status: "200"},
		rawCase{name: "a query with a line in it", raw: line("POST {path}?%0d%0aX-Smuggled:%20smuggled HTTP/1.1"), status: "200"},
		rawCase{name: "a fragment", raw: line("POST {path}#smuggled HTTP/1.1"), status: "200|400|404", gateway: true},
	)

	// Paths that are another one, or only look like one.
	for _, path := range []string{
		"//hooks/stripe", "/hooks//stripe", "/hooks/stripe/", "/hooks/stripe//", "/./hooks/stripe", "/hooks/./stripe", "/hooks/stripe/.", "/hooks/../hooks/stripe",
		"/x/../hooks/stripe", "/hooks/x/../stripe", "/hooks/stripe/..", "/hooks/stripe/../stripe", "/hooks%2Fstripe", "/hooks%2fstripe", "/%2Fhooks/stripe", "/hooks/stripe%2F",
		"/hooks/%73tripe", "/%68ooks/stripe", "/hooks/strip%65", "/hooks/stripe%00", "/hooks/stripe%20", "/hooks/stripe%0a", "/hooks/stripe%0d%0aX-Smuggled:smuggled",
		"/hooks/%2e/stripe", "/hooks/%2e%2e/hooks/stripe", "/x/%2E%2E/hooks/stripe", "/hooks/.%2e/hooks/stripe", "/hooks/stripe%2f..", "/hooks%5cstripe", "/hooks\\stripe", "\\hooks\\stripe",
		"/hooks/stripe;x=y", "/hooks;x/stripe", "/hooks/stripe%3fsmuggled", "/hooks/stripe%23", "/hooks/stripe%", "/hooks/stripe%zz", "/HOOKS/stripe", "/hooks/Stripe",
		"/hooks/stripe<c0><af>", "/hooks/stripe%c0%af", "/hooks/%ef%bd%93tripe", "/hooks/stripe.", "/hooks/stripe~", "/hooks/stripe.json", "/hooks/stripes", "/hooks", "/", "hooks/stripe", "",
		"/hooks/stripe%252f", "/hooks/%2573tripe", "/receiver", "/hooks/stripe/receiver", "/.well-known/jwks.json", "/metrics", "/livez", "/readyz", "/debug/pprof/",
	} {
		all = append(all, rawCase{name: fmt.Sprintf("the path %q", path), raw: line("POST " + path + " HTTP/1.1"), status: "404|400", gateway: true})
	}
	return all
}
