package server

import (
	"container/list"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// writeTimeout is how long one write to a connection may take. Responses are small, so only a
// peer that does not read runs into it.
const writeTimeout = 10 * time.Second

// conns bounds the connections of a listener, and requests of HTTP/2, which count as
// connections.
//
// A connection waits while the head of a request has not come: new, or idle between two
// requests. Only such a connection is ever closed to make way, because nothing of a request is
// lost with it that its sender believes to have sent.
type conns struct {
	most     int                   // together
	share    int                   // of one address; 0: as many as there may be
	exempt   func(netip.Addr) bool // addresses without a share of their own
	log      *slog.Logger
	reported limiter

	mu      sync.Mutex
	n       int
	waiting list.List // of *conn, the longest first
	fresh   int       // connections that have not had a head yet
	peers   map[netip.Addr]*peer
}

// peer is what one address holds.
type peer struct {
	key     netip.Addr
	exempt  bool
	n       int
	waiting list.List
}

// conn is a connection as it was accepted, beneath TLS.
type conn struct {
	net.Conn
	owner *conns
	addr  netip.Addr // of the peer; invalid for a unix socket
	head  *headConn  // over this one; nil: HTTP/2
	left  int        // bytes that a handshake may still take; none once it is done

	// Under owner.mu.
	peer          *peer
	all, own      *list.Element // its places in the lists, while it waits
	fresh, closed bool

	mu       sync.Mutex
	deadline time.Time // of writes, as it was set
}

// peerKey is what has a share: an address of IPv4, a /64 of IPv6, because that is what one
// subscriber has.
func peerKey(a netip.Addr) netip.Addr {
	if a.Is6() {
		p, _ := a.Prefix(64) // an address of IPv6 has one
		return p.Addr()
	}
	return a
}

// addrOf returns the address of a peer, without zone and not mapped into IPv6.
func addrOf(a net.Addr) netip.Addr {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// add takes a connection in. At a bound it closes the one that has waited longest for a head,
// which is the new one where no other waits; then add returns nil.
func (s *conns) add(c net.Conn) *conn {
	added := &conn{Conn: c, owner: s, addr: addrOf(c.RemoteAddr()), fresh: true}
	s.mu.Lock()
	p := s.peer(added.addr)
	added.peer = p
	s.n++
	p.n++
	s.fresh++
	s.enqueue(added)
	victims := s.makeWay(p)
	lost := added.closed
	s.mu.Unlock()
	s.evict(victims)
	if lost {
		return nil
	}
	return added
}

// peer returns what a has, or a peer without bounds for an address without a share. It needs s.mu.
func (s *conns) peer(a netip.Addr) *peer {
	if s.share == 0 || !a.IsValid() || s.exempt != nil && s.exempt(a) {
		return &peer{exempt: true}
	}
	key := peerKey(a)
	p := s.peers[key]
	if p == nil {
		if s.peers == nil {
			s.peers = make(map[netip.Addr]*peer)
		}
		p = &peer{key: key}
		s.peers[key] = p
	}
	return p
}

// makeWay removes connections that wait until the bounds hold, or none waits.
func (s *conns) makeWay(p *peer) []*conn {
	var victims []*conn
	for !p.exempt && p.n > s.share && p.waiting.Len() > 0 {
		victims = append(victims, s.drop(p.waiting.Front().Value.(*conn)))
	}
	for s.n > s.most && s.waiting.Len() > 0 {
		victims = append(victims, s.drop(s.waiting.Front().Value.(*conn)))
	}
	return victims
}

func (s *conns) evict(victims []*conn) {
	for _, c := range victims {
		c.Conn.Close()
		s.report("connections are at their bound; the one that waited longest for a request is closed", c)
	}
}

func (s *conns) report(what string, c *conn) {
	if left, ok := s.reported.allow(time.Now()); ok {
		s.log.Warn(what, "address", c.addr, "not_logged", left)
	}
}

// evictOldest closes the connection that has waited longest, and reports whether there was one.
func (s *conns) evictOldest() bool {
	s.mu.Lock()
	var victims []*conn
	if e := s.waiting.Front(); e != nil {
		victims = append(victims, s.drop(e.Value.(*conn)))
	}
	s.mu.Unlock()
	s.evict(victims)
	return len(victims) > 0
}

// begin counts a request of HTTP/2 on c, and reports whether the bounds have room for it. If
// so, end must follow.
func (s *conns) begin(c *conn) bool {
	s.mu.Lock()
	if c.closed {
		s.mu.Unlock()
		return false
	}
	p := c.peer
	s.n++
	p.n++
	victims := s.makeWay(p)
	ok := s.n <= s.most && (p.exempt || p.n <= s.share)
	if !ok {
		s.n--
		p.n--
	}
	s.mu.Unlock()
	s.evict(victims)
	if !ok {
		s.report("connections are at their bound; a request of HTTP/2 is refused", c)
	}
	return ok
}

// end is the end of a request that begin counted. Its connection may be gone by now.
func (s *conns) end(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n--
	s.release(c.peer)
}

// hasHead says that a head has come on c, or that c waits for one again.
func (s *conns) hasHead(c *conn, came bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.closed:
	case came:
		s.dequeue(c)
		if c.fresh {
			c.fresh = false
			s.fresh--
		}
	case c.all == nil:
		s.enqueue(c)
	}
}

// unbegun returns how many connections have not had a head yet.
func (s *conns) unbegun() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fresh
}

// The following need s.mu.

func (s *conns) enqueue(c *conn) {
	c.all = s.waiting.PushBack(c)
	c.own = c.peer.waiting.PushBack(c)
}

func (s *conns) dequeue(c *conn) {
	if c.all != nil {
		s.waiting.Remove(c.all)
		c.peer.waiting.Remove(c.own)
		c.all, c.own = nil, nil
	}
}

// drop forgets c, and returns it.
func (s *conns) drop(c *conn) *conn {
	if c.closed {
		return c
	}
	c.closed = true
	s.dequeue(c)
	if c.fresh {
		s.fresh--
	}
	s.n--
	s.release(c.peer)
	return c
}

func (s *conns) release(p *peer) {
	if p.n--; p.n == 0 && s.peers[p.key] == p {
		delete(s.peers, p.key)
	}
}

// Close ends the connection and makes its place free.
func (c *conn) Close() error {
	c.owner.mu.Lock()
	c.owner.drop(c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left > 0 {
		if c.left -= n; c.left <= 0 {
			return 0, errHandshake
		}
	}
	return n, err
}

// Write is bounded by writeTimeout, or by an earlier deadline that was set.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	by := time.Now().Add(writeTimeout)
	if !c.deadline.IsZero() && c.deadline.Before(by) {
		by = c.deadline
	}
	err := c.Conn.SetWriteDeadline(by)
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	if t.IsZero() {
		return nil // the next Write sets one
	}
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// CloseWrite says that no more comes, so that a peer that still sends can read the response.
func (c *conn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

// listener accepts within the bounds of its conns. It goes on accepting at the bound, and when
// the process has no file descriptor left.
type listener struct {
	net.Listener
	conns *conns
	once  sync.Once
	done  chan struct{} // closed by Close
}

func newListener(l net.Listener, s *conns) *listener {
	return &listener{Listener: l, conns: s, done: make(chan struct{})}
}

func (l *listener) accept() (*conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if outOfFiles(err) && l.conns.evictOldest() {
				continue
			}
			return nil, err
		}
		if added := l.conns.add(c); added != nil {
			return added, nil
		}
	}
}

// stop accepts no more. Accept still returns what was accepted, and ends with Close.
func (l *listener) stop() { l.Listener.Close() }

// Close ends Accept.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	err := l.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func outOfFiles(err error) bool {
	var sys *os.SyscallError
	return errors.As(err, &sys) && (errors.Is(sys.Err, syscall.EMFILE) || errors.Is(sys.Err, syscall.ENFILE))
}

// Accept returns the next connection, which reads heads within their bounds.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.accept()
	if errors.Is(err, net.ErrClosed) {
		<-l.done
	}
	if err != nil {
		return nil, err
	}
	return newHeadConn(c, c), nil
}

// tracked returns the conn beneath what a listener returned.
func tracked(c net.Conn) *conn {
	switch c := c.(type) {
	case interface{ tracked() *conn }:
		return c.tracked()
	case interface{ NetConn() net.Conn }: // *tls.Conn
		return c.NetConn().(*conn)
	}
	panic("server: a connection of another listener")
}

// connState keeps the lists of conns; it is an http.Server's ConnState.
func (s *conns) connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateActive:
		s.hasHead(tracked(c), true)
	case http.StateIdle:
		c := tracked(c)
		if c.head != nil {
			c.head.next()
		}
		s.hasHead(c, false)
	}
}
