// Package server runs the listeners of a gateway: the public one, within bounds, and the one
// for operators.
//
//	s, err := server.New(server.Options{
//		Listen: c.Listen, Limits: c.Limits, Admin: c.Admin, Shutdown: c.Shutdown,
//		TrustedProxies: c.TrustedProxies,
//		Public:         gateway,
//		Ready:          gateway.Ready,
//		Log:            log,
//	})
//	…
//	return s.Run(ctx) // until ctx ends, and then until what was begun is done
//
// The public listener speaks HTTP/1.1, and HTTP/2 over TLS. Everything is bounded that a
// stranger can make it hold: the bytes, lines and time of a head, the time of a handshake, of a
// response and of idleness, connections together and of one address. At the bound of
// connections it goes on accepting: the connection is closed that has waited longest for a head.
//
// What the bounds leave to the handler: the body. A handler that returns without having read it
// ends the connection.
package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
)

const (
	defaultHeader     = 32 << 10
	defaultReadHeader = 5 * time.Second
	defaultIdle       = 60 * time.Second
	defaultConns      = 8192

	adminConns = 256

	// hangUp is how long a connection may go on sending what nobody reads.
	hangUp = 500 * time.Millisecond

	// cancelled is how long requests may take to end after Context has ended: a guard
	// releases its claims meanwhile.
	cancelled = 3 * time.Second
)

// Options say what a Server is made of.
type Options struct {
	Listen         config.Listen
	Limits         config.Limits // zero fields are the defaults of config.Limits
	Admin          config.Admin
	Shutdown       config.Shutdown
	TrustedProxies []netip.Prefix // who may say X-Forwarded-For, and may hold more than an eighth of the connections

	// Public serves the public listener. Required.
	Public http.Handler

	// AdminHandler serves the admin listener, all paths but /livez and /readyz. Nil: 404.
	AdminHandler http.Handler

	// Ready reports whether requests can be served: whether the store answers, and the first
	// configuration stands. Its context ends after 500 ms. Nil: they can.
	Ready func(context.Context) error

	// Log gets a line for what an operator should know. Default: slog.Default().
	Log *slog.Logger
}

// Server is a public listener and an admin one. It is safe for concurrent use.
type Server struct {
	o         Options
	proxies   prefixes
	handler   http.Handler // Options.Public
	public    publicListener
	adminL    *listener
	certs     *certificates // nil: no TLS
	conns     *conns
	main, adm *http.Server

	ctx    context.Context // Context
	cancel context.CancelFunc

	draining atomic.Bool
	notReady atomic.Bool
	running  atomic.Int64 // requests in Options.Public
}

type publicListener interface {
	net.Listener
	stop()
}

// New opens the listeners. The error says what is wrong with an address or a certificate. A
// Server that is made must be run, or closed by Close.
func New(o Options) (*Server, error) {
	if o.Public == nil {
		return nil, errors.New("server: Options.Public is nil; it serves the public listener")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	setDefault(&o.Limits.Header, defaultHeader)
	setDefault(&o.Limits.ReadHeaderTimeout, defaultReadHeader)
	setDefault(&o.Limits.IdleTimeout, defaultIdle)
	setDefault(&o.Limits.Connections, defaultConns)

	s := &Server{o: o}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.open(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func (s *Server) open() error {
	o := &s.o
	tls := o.Listen.TLS != nil && o.Listen.TLS.Cert != "" || o.Listen.ACME != nil
	if tls || o.Listen.TLS != nil {
		var err error
		if s.certs, err = newCertificates(o.Listen, o.Log); err != nil {
			return err
		}
	}
	s.proxies, s.handler = o.TrustedProxies, s.recovered(o.Public)
	most := o.Limits.Connections
	if files, ok := openFiles(); ok && most > files/4*3 {
		most = files / 4 * 3
		o.Log.Warn("the process may open too few files for listen's bound of connections; the bound is lowered, raise the limit (ulimit -n)",
			"files", files, "connections", most, "wanted", o.Limits.Connections)
	}
	s.conns = &conns{
		most:   most,
		share:  max(1, most/8),
		exempt: s.proxies.contain,
		log:    o.Log,
	}
	l, err := listen("listen.address", o.Listen.Address)
	if err != nil {
		return err
	}
	bounded := newListener(l, s.conns)
	s.public = bounded
	if s.certs != nil {
		s.public = newTLSListener(bounded, s.certs, o.Limits.ReadHeaderTimeout, o.Log)
	}
	s.main = s.server(http.HandlerFunc(s.serve), s.conns, o.Limits)
	if s.certs == nil && public(l) && len(s.proxies) == 0 {
		o.Log.Warn("the public listener has no TLS, and no trusted proxy in front of it has; anybody on the way reads and changes what is sent")
	}

	if o.Admin.Address == "" {
		return nil
	}
	l, err = listen("admin.address", o.Admin.Address)
	if err != nil {
		return err
	}
	admin := &conns{most: adminConns, log: o.Log}
	s.adminL = newListener(l, admin)
	if public(l) {
		if !o.Admin.Remote {
			return errors.New("admin.address: others than this machine reach it; use 127.0.0.1, or set admin.remote: true")
		}
		o.Log.Warn("the admin listener is reached by others than this machine; keep it off public networks")
	}
	limits := o.Limits
	limits.Header = defaultHeader
	s.adm = s.server(s.recovered(http.HandlerFunc(s.admin)), admin, limits)
	s.adm.ReadTimeout = 10 * time.Second
	return nil
}

// server is an http.Server within limits.
func (s *Server) server(h http.Handler, c *conns, l config.Limits) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true) // over TLS alone
	return &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := connOf(r)
			if c.head != nil && !c.head.begin(w, r) {
				panic(http.ErrAbortHandler)
			}
			h.ServeHTTP(w, r)
		}),
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            l.ReadHeaderTimeout,
		IdleTimeout:                  l.IdleTimeout,
		MaxHeaderBytes:               max(1, l.Header-4<<10), // net/http reads 4 KiB more
		ConnState:                    c.connState,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			t := tracked(c)
			return context.WithValue(context.WithValue(ctx, connKey{}, t), clientKey{}, t.addr)
		},
		BaseContext: func(net.Listener) context.Context { return s.ctx },
		ErrorLog:    log.New(&errorLog{log: s.o.Log}, "", 0),
		Protocols:   protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          100,
			MaxReadFrameSize:              16 << 10, // the buffer of a frame is made before it comes
			MaxReceiveBufferPerConnection: 1 << 20,
			MaxReceiveBufferPerStream:     256 << 10,
		},
	}
}

type connKey struct{}

func connOf(r *http.Request) *conn { return r.Context().Value(connKey{}).(*conn) }

// serve is the handler of the public listener.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := connOf(r)
	switch {
	case r.Method == "PRI": // HTTP/2 without TLS
		refuse(w, http.StatusHTTPVersionNotSupported)
		return
	case r.ProtoMajor == 2:
		if !s.conns.begin(c) {
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable)
			return
		}
		defer s.conns.end(c)
		if lines(r.Header) > MaxFields {
			refuse(w, http.StatusRequestHeaderFieldsTooLarge)
			return
		}
	}
	s.running.Add(1)
	defer s.running.Add(-1)
	if s.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	if client := s.proxies.client(c.addr, r.Header); client != c.addr {
		r = r.WithContext(context.WithValue(r.Context(), clientKey{}, client))
	}
	s.handler.ServeHTTP(w, r)
	if r.ProtoMajor == 1 {
		// net/http waits for a body that was not read.
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(hangUp))
	}
}

func lines(h http.Header) (n int) {
	for _, values := range h {
		n += len(values)
	}
	return n
}

func refuse(w http.ResponseWriter, status int) {
	http.Error(w, http.StatusText(status), status)
}

// recovered logs a panic of h, without its value, which may hold anything, and breaks the
// connection.
func (s *Server) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v != http.ErrAbortHandler {
				what := fmt.Sprintf("%T", v)
				if e, ok := v.(runtime.Error); ok {
					what = e.Error()
				}
				s.o.Log.Error("a handler panicked", "panic", what, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}()
		h.ServeHTTP(w, r)
	})
}

// Addr returns the address of the public listener.
func (s *Server) Addr() net.Addr { return s.public.Addr() }

// AdminAddr returns the address of the admin listener, or nil.
func (s *Server) AdminAddr() net.Addr {
	if s.adminL == nil {
		return nil
	}
	return s.adminL.Addr()
}

// Context ends when requests under way have had Shutdown.Grace to end, so it belongs into
// middleware.Options.Shutdown. The contexts of all requests come from it.
func (s *Server) Context() context.Context { return s.ctx }

// ReloadCertificates reads the files of listen.tls anew. Connections that stand go on. After an
// error, what was loaded before stays.
func (s *Server) ReloadCertificates() error {
	if s.certs == nil {
		return nil
	}
	return s.certs.load()
}

// Run serves until ctx ends, and then shuts down: /readyz turns 503; for Shutdown.Drain, new
// requests are served, and their connections end; the listeners close; requests under way have
// Shutdown.Grace; what is left then is cancelled by Context. It returns nil after that, or the
// error of a listener that failed. A Server runs once.
func (s *Server) Run(ctx context.Context) error {
	defer s.Close()
	failed := make(chan error, 2)
	serve := func(srv *http.Server, l net.Listener) {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}
	go serve(s.main, s.public)
	s.o.Log.Info("listening", "address", s.Addr().String(), "tls", s.certs != nil)
	if s.adm != nil {
		go serve(s.adm, s.adminL)
		s.o.Log.Info("listening for operators", "address", s.AdminAddr().String())
	}
	if s.certs != nil && s.certs.acme != nil {
		s.certs.acme.run(ctx)
	}
	var err error
	select {
	case err = <-failed:
		s.o.Log.Error("a listener failed", "error", err.Error())
	case <-ctx.Done():
		s.drain(failed)
	}
	s.finish()
	return err
}

// drain serves for Shutdown.Drain, and says on each response that its connection ends.
func (s *Server) drain(failed <-chan error) {
	s.draining.Store(true)
	s.o.Log.Info("draining", "for", s.o.Shutdown.Drain)
	select {
	case <-time.After(s.o.Shutdown.Drain):
	case <-failed:
	}
}

// finish ends the public listener, requests under way, and the admin listener, in this order.
func (s *Server) finish() {
	s.draining.Store(true)
	grace, cancel := context.WithTimeout(context.Background(), s.o.Shutdown.Grace)
	defer cancel()
	s.o.Log.Info("closing listeners", "requests", s.running.Load(), "grace", s.o.Shutdown.Grace)
	s.public.stop()
	// A connection that was accepted may bring a request: net/http would drop one whose head
	// comes after its Shutdown.
	poll(grace, func() bool { return s.conns.unbegun() == 0 })
	if !s.wait(grace) && s.running.Load() > 0 {
		s.o.Log.Warn("requests are cancelled; their events may run again", "requests", s.running.Load())
		s.cancel()
		late, cancel := context.WithTimeout(context.Background(), cancelled)
		defer cancel()
		if !s.wait(late) {
			s.o.Log.Error("requests did not end", "requests", s.running.Load())
		}
	}
	s.o.Log.Info("stopped")
}

// wait waits for requests under way and their connections, and reports whether all ended.
func (s *Server) wait(ctx context.Context) bool {
	// A handler of HTTP/2 may outlive its connection, so both are waited for.
	return s.main.Shutdown(ctx) == nil && poll(ctx, func() bool { return s.running.Load() == 0 })
}

// poll waits until ok, and reports false if ctx ended before.
func poll(ctx context.Context, ok func() bool) bool {
	for !ok() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}

// Close ends everything at once. Run calls it.
func (s *Server) Close() error {
	s.cancel()
	if s.main != nil {
		s.main.Close()
	}
	if s.adm != nil {
		s.adm.Close()
	}
	if s.public != nil {
		s.public.Close()
	}
	if s.adminL != nil {
		s.adminL.Close()
	}
	return nil
}
