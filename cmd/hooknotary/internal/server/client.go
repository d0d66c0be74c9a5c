package server

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
)

type clientKey struct{}

// ClientAddress returns the address of who sent the request that ctx belongs to. It is the
// peer of the connection; where that is a trusted proxy, it is the rightmost address of
// X-Forwarded-For that is not one itself. An entry that is no address ends the search: then it
// is the proxy that reported it.
//
// It is for logs, and for one header where the receiver wants it. It decides nothing, and it
// is the zero Addr where there is none: behind a unix socket without trusted proxies, and
// outside of a request of this package.
func ClientAddress(ctx context.Context) netip.Addr {
	a, _ := ctx.Value(clientKey{}).(netip.Addr)
	return a
}

// prefixes are networks of trusted proxies.
type prefixes []netip.Prefix

func (p prefixes) contain(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the client's address, of a request from peer. The peer of a unix socket has no
// address: it is trusted if anybody is, because then it is a proxy on this machine.
func (p prefixes) client(peer netip.Addr, h http.Header) netip.Addr {
	if len(p) == 0 || peer.IsValid() && !p.contain(peer) {
		return peer
	}
	client := peer
	lines := h["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for more := true; more; {
			entry := rest
			if at := strings.LastIndexByte(rest, ','); at >= 0 {
				rest, entry = rest[:at], rest[at+1:]
			} else {
				more = false
			}
			a, ok := parseAddress(strings.Trim(entry, " \t"))
			if !ok {
				return client
			}
			client = a
			if !p.contain(a) {
				return client
			}
		}
	}
	return client
}

// parseAddress reads an address as proxies write it, some with a port.
func parseAddress(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		with, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		a = with.Addr()
	}
	return a.Unmap().WithZone(""), true
}
