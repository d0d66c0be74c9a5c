//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hooknotary/hooknotary/verify/replay/redisreplay/redistest"
	"github.com/hooknotary/hooknotary/verify/replay/sqlreplay/sqltest/postgrestest"
)

// The kinds of proxies.
const (
	reverseProxy = "ReverseProxy"
	plain        = "gateway"
	withMetrics  = "gateway, metrics"
	withES256    = "gateway, ES256"
	withRedis    = "gateway, Redis"
	withPostgres = "gateway, PostgreSQL"
	nginx        = "nginx"
	caddy        = "Caddy"
	direct       = "no proxy"
)

// proxy is a running proxy in front of the upstream.
type proxy struct {
	*process
	kind, address string
	log           *journal // of a gateway
}

// lab is what the proxies share.
type lab struct {
	folder   string // of this run; removed at its end
	binary   string // hooknotary
	procs    int
	upstream *upstream
	redis    *redistest.Server
	postgres *postgrestest.Server
	kinds    []string
	missing  []string // kinds that this machine has not
	versions []string
}

// newLab starts what the proxies share.
func newLab(ctx context.Context, binary string, procs int) (l *lab, err error) {
	folder, err := os.MkdirTemp("", "gatewaybench-")
	if err != nil {
		return nil, err
	}
	l = &lab{folder: folder, binary: binary, procs: procs}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if err := os.Chmod(folder, 0o755); err != nil { // nginx's workers may be nobody
		return l, err
	}
	if l.binary == "" {
		l.binary = filepath.Join(folder, "hooknotary")
		out, err := exec.CommandContext(ctx, "go", "build", "-o", l.binary, "github.com/hooknotary/hooknotary/cmd/hooknotary").CombinedOutput()
		if err != nil {
			return l, fmt.Errorf("go build: %w: %s", err, out)
		}
	}
	if l.upstream, err = startUpstream(); err != nil {
		return l, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return l, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return l, err
	}
	if err := l.put("assert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))); err != nil {
		return l, err
	}
	if err := l.put("stripe", secret+"\n"); err != nil {
		return l, err
	}
	l.kinds = []string{reverseProxy, plain, withMetrics, withES256}
	l.redis, err = redistest.Start("appendonly yes", "appendfsync everysec")
	if err := l.include(withRedis, err, redistest.ErrMissing); err != nil {
		return l, err
	}
	l.postgres, err = postgrestest.Start(&postgrestest.Options{Sync: true})
	if err := l.include(withPostgres, err, postgrestest.ErrMissing); err != nil {
		return l, err
	}
	version := func(name string, arg string) error {
		out, err := exec.Command(name, arg).CombinedOutput()
		if err == nil {
			l.versions = append(l.versions, name+" "+strings.TrimPrefix(strings.TrimSpace(string(out)), "nginx version: nginx/"))
		}
		return err
	}
	if err := l.include(nginx, version("nginx", "-v"), exec.ErrNotFound); err != nil {
		return l, err
	}
	return l, l.include(caddy, version("caddy", "version"), exec.ErrNotFound)
}

// include takes a kind in, unless err says that it is missing.
func (l *lab) include(kind string, err, missing error) error {
	switch {
	case err == nil:
		l.kinds = append(l.kinds, kind)
	case errors.Is(err, missing):
		l.missing = append(l.missing, kind)
	default:
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

func (l *lab) close() {
	if l.postgres != nil {
		l.postgres.Close()
	}
	if l.redis != nil {
		l.redis.Close()
	}
	if l.upstream != nil {
		l.upstream.stop()
	}
	os.RemoveAll(l.folder)
}

func (l *lab) put(name, text string) error {
	return os.WriteFile(filepath.Join(l.folder, name), []byte(text), 0o600)
}

// start starts a proxy of a kind.
func (l *lab) start(kind string) (*proxy, error) {
	var p *proxy
	var err error
	switch kind {
	case reverseProxy:
		p, err = l.startReverseProxy()
	case nginx:
		p, err = l.startNginx()
	case caddy:
		p, err = l.startCaddy()
	default:
		p, err = l.startGateway(l.config(kind))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	p.kind = kind
	return p, nil
}

func (l *lab) environ(more ...string) []string {
	return append(os.Environ(), append(more, fmt.Sprint("GOMAXPROCS=", l.procs))...)
}

func (l *lab) startReverseProxy() (*proxy, error) {
	before := os.Getenv("GOMAXPROCS")
	os.Setenv("GOMAXPROCS", fmt.Sprint(l.procs))
	defer os.Setenv("GOMAXPROCS", before)
	p, _, _, address, err := startChild("ReverseProxy " + l.upstream.address)
	if err != nil {
		return nil, err
	}
	return &proxy{process: p, address: address}, nil
}

// configOf is the file of a gateway with one route, but for its store and what else it says.
const configOf = `
listen: { address: "127.0.0.1:0" }
shutdown: { drain: 0s, grace: 5s }
`

func (l *lab) route(more string) string {
	return fmt.Sprintf("routes:\n  - { name: billing, path: %[1]s, provider: stripe, secret: file:stripe, upstream: { url: http://%[2]s%[1]s }%[3]s }\n", path, l.upstream.address, more)
}

// config is the file of a gateway.
func (l *lab) config(kind string) string {
	store, more, route := "{ memory: {} }", "", ""
	switch kind {
	case withMetrics:
		more = "admin: { address: \"127.0.0.1:0\" }\ntelemetry: { metrics: true }\n"
	case withES256:
		more = "assertion: { issuer: https://hooks.example.com, keys: [ { id: bench, file: assert.pem } ] }\n"
		route = ", assert: { audience: bench }"
	case withRedis:
		store = "{ redis: env:BENCH_REDIS }"
	case withPostgres:
		store = "{ postgres: env:BENCH_POSTGRES }"
	}
	return configOf + more + "store: " + store + "\n" + l.route(route)
}

// startGateway starts hooknotary serve with a file.
func (l *lab) startGateway(config string) (*proxy, error) {
	const name = "hooknotary.yaml"
	if err := l.put(name, config); err != nil {
		return nil, err
	}
	cmd := exec.Command(l.binary, "serve", "--config", filepath.Join(l.folder, name))
	env := l.environ()
	if l.redis != nil {
		env = append(env, "BENCH_REDIS=redis://"+l.redis.Addr())
	}
	if l.postgres != nil {
		env = append(env, "BENCH_POSTGRES="+l.postgres.DSN())
	}
	cmd.Env = env
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	ps, err := launch(cmd)
	if err != nil {
		return nil, err
	}
	p := &proxy{process: ps, log: &journal{seen: make(map[string]int)}}
	go p.log.follow(stderr)
	err = within("the gateway listens", func() (bool, error) {
		p.address = p.log.address()
		select {
		case <-ps.ended:
			return false, fmt.Errorf("it ended: %s", p.log.tail())
		default:
			return p.address != "", nil
		}
	})
	if err != nil {
		ps.stop()
		return nil, err
	}
	return p, nil
}

// journal is the log of a gateway.
type journal struct {
	mu     sync.Mutex
	listen string
	seen   map[string]int // messages
	loaded time.Time      // of the last configuration
	last   []string       // lines
}

func (j *journal) follow(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		at := time.Now()
		var line struct{ Msg, Address string }
		json.Unmarshal(lines.Bytes(), &line)
		j.mu.Lock()
		j.seen[line.Msg]++
		switch line.Msg {
		case "listening":
			j.listen = line.Address
		case "configuration loaded":
			j.loaded = at
		}
		if j.last = append(j.last, lines.Text()); len(j.last) > 10 {
			j.last = j.last[1:]
		}
		j.mu.Unlock()
	}
}

func (j *journal) address() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.listen
}

// reload returns how often a configuration was loaded, and when the last time.
func (j *journal) reload() (int, time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen["configuration loaded"], j.loaded
}

func (j *journal) tail() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.last, "\n")
}

// startServer starts a program that is told its port, and waits until it accepts. The port
// was free a moment ago; where somebody else has taken it, another one is tried.
func (l *lab) startServer(children int, command func(port string) (*exec.Cmd, error)) (*proxy, error) {
	var failed error
	for range 3 {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		address := free.Addr().String()
		free.Close()
		_, port, _ := net.SplitHostPort(address)
		cmd, err := command(port)
		if err != nil {
			return nil, err
		}
		var said bytes.Buffer
		cmd.Stderr = &said
		ps, err := launch(cmd)
		if err != nil {
			return nil, err
		}
		failed = within("it listens", func() (bool, error) {
			select {
			case <-ps.ended:
				return false, fmt.Errorf("%w: %s", errEnded, &said)
			default:
			}
			c, err := net.Dial("tcp", address)
			if err != nil {
				return false, nil
			}
			c.Close()
			pids, err := ps.pids()
			return len(pids) >= 1+children, err
		})
		if failed == nil {
			return &proxy{process: ps, address: address}, nil
		}
		ps.stop()
	}
	return nil, failed
}

func (l *lab) startNginx() (*proxy, error) {
	return l.startServer(l.procs, func(port string) (*exec.Cmd, error) {
		err := l.put("nginx.conf", fmt.Sprintf(`
daemon off;
worker_processes %d;
pid %[2]s/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
	access_log off;
	server_tokens off;
	client_body_temp_path %[2]s/nginx-body;
	proxy_temp_path %[2]s/nginx-proxy;
	fastcgi_temp_path %[2]s/nginx-fastcgi;
	uwsgi_temp_path %[2]s/nginx-uwsgi;
	scgi_temp_path %[2]s/nginx-scgi;
	client_max_body_size 8m;
	client_body_buffer_size 2m;
	keepalive_requests 100000000;
	upstream receiver {
		server %[3]s;
		keepalive %[4]d;
		keepalive_timeout %[5]ds;
		keepalive_requests 100000000;
	}
	server {
		listen 127.0.0.1:%[6]s;
		location / {
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_pass http://receiver;
		}
	}
}
`, l.procs, l.folder, l.upstream.address, idleConns, int(idleUpstream/time.Second), port))
		return exec.Command("nginx", "-e", "stderr", "-p", l.folder, "-c", filepath.Join(l.folder, "nginx.conf")), err
	})
}

func (l *lab) startCaddy() (*proxy, error) {
	return l.startServer(0, func(port string) (*exec.Cmd, error) {
		err := l.put("Caddyfile", fmt.Sprintf(`{
	admin off
	auto_https off
}
http://127.0.0.1:%[1]s, http://hooks.example.com:%[1]s {
	bind 127.0.0.1
	reverse_proxy %[2]s {
		transport http {
			keepalive %[3]v
			keepalive_idle_conns %[4]d
			keepalive_idle_conns_per_host %[4]d
		}
	}
}
`, port, l.upstream.address, idleUpstream, idleConns))
		cmd := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", filepath.Join(l.folder, "Caddyfile"))
		cmd.Env = l.environ("HOME="+l.folder, "XDG_DATA_HOME="+l.folder, "XDG_CONFIG_HOME="+l.folder)
		return cmd, err
	})
}
