package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/spf13/cobra"
)

const (
	dialTimeout    = 5 * time.Second
	requestTimeout = 30 * time.Second
	firstPause     = time.Second
	longestPause   = 30 * time.Second
	maxTimes       = 1000    // of repeats and of attempts
	maxResponse    = 1 << 20 // bytes of a response that are read, and thrown away
)

type sendFlags struct {
	to           string
	remote       bool
	repeat       int
	afterFailure bool
	attempts     int
}

func (f *sendFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "send the delivery to `URL`")
	flags.BoolVar(&f.remote, "allow-remote", false, "with --to: send to other hosts than this one, too")
	flags.IntVar(&f.repeat, "repeat", 0, "with --to: send the very same bytes `N` more times")
	flags.BoolVar(&f.afterFailure, "after-failure", false, "with --to: try again until a response is 2xx")
	flags.IntVar(&f.attempts, "attempts", 5, "with --after-failure: at most `N` attempts in all, with pauses of 1 second and longer")
}

// check returns the URL to send to, or nil if there is none.
func (f *sendFlags) check(cmd *cobra.Command) (*url.URL, error) {
	flags := cmd.Flags()
	if f.to == "" {
		for _, name := range [...]string{"allow-remote", "repeat", "after-failure", "attempts"} {
			if flags.Changed(name) {
				return nil, fmt.Errorf("--%s needs --to", name)
			}
		}
		if flags.Changed("to") {
			return nil, errURL
		}
		return nil, nil
	}
	switch {
	case f.repeat < 0 || f.repeat > maxTimes:
		return nil, fmt.Errorf("--repeat: want 0 to %d", maxTimes)
	case f.attempts < 1 || f.attempts > maxTimes:
		return nil, fmt.Errorf("--attempts: want 1 to %d", maxTimes)
	case flags.Changed("attempts") && !f.afterFailure:
		return nil, errors.New("--attempts needs --after-failure")
	}
	to, err := url.Parse(f.to)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" || to.User != nil || to.Fragment != "" {
		return nil, errURL
	}
	if addr, err := netip.ParseAddr(to.Hostname()); err == nil && !f.remote && !addr.IsLoopback() {
		return nil, errRemote
	}
	return to, nil
}

var (
	errURL    = errors.New("--to: want a URL such as http://localhost:8080/hooks, without a password and without a fragment")
	errRemote = errors.New("--to: the address is not one of this machine's loopback: add --allow-remote to send a signed delivery there")
)

// onlyLoopback is a net.Dialer's Control: it sees the address that is dialled, after a
// name was resolved. The unspecified address is refused, too: what it stands for depends
// on the system.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	if a, err := netip.ParseAddrPort(address); err != nil || !a.Addr().IsLoopback() {
		return errRemote
	}
	return nil
}

// client makes a client that goes where the flags allow it.
func (f *sendFlags) client(resolver *net.Resolver) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: resolver}
	transport := &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout, MaxResponseHeaderBytes: 64 << 10}
	if f.remote {
		transport.Proxy = http.ProxyFromEnvironment // not for localhost and loopback addresses
	} else {
		dialer.Control = onlyLoopback
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// sending is a delivery under way.
type sending struct {
	*program
	*sendFlags
	to       *url.URL
	kind     *sender.Sender
	draft    *sender.Draft
	resigned bool // the provider signs each attempt anew

	client *http.Client
	start  time.Time // when it began, at the clock of the machine
	first  time.Time // the time that was signed first
	header http.Header
}

// run sends the delivery, its retries and its repeats.
func (s *sending) run(ctx context.Context) error {
	s.client = s.sendFlags.client(s.resolver)
	defer s.client.CloseIdleConnections()
	s.start, s.first = s.now(), s.draft.At
	if err := s.sign(); err != nil {
		return err
	}
	taken, err := s.deliver(ctx)
	if err != nil {
		return err
	}
	for i := range s.repeat {
		if _, err := s.post(ctx, fmt.Sprintf("repeat %d", i+1)); err != nil {
			return err
		}
	}
	if !taken {
		return errReject
	}
	return nil
}

// deliver sends the delivery, and tries again if it may. It reports whether an
// response was 2xx.
func (s *sending) deliver(ctx context.Context) (bool, error) {
	taken, err := s.post(ctx, "delivery")
	if !s.afterFailure {
		return taken, err
	}
	pause := firstPause
	for i := 1; i < s.attempts && !taken && err == nil; i++ {
		s.sleep(pause)
		how := "the same bytes"
		if s.resigned {
			if err := s.resign(); err != nil {
				return false, err
			}
			how = "signed anew"
		}
		taken, err = s.post(ctx, fmt.Sprintf("retry %d, %s", i, how))
		pause = min(2*pause, longestPause)
	}
	return taken, err
}

// resign signs the delivery anew. The timestamp is a later one, also where the clock
// stands still.
func (s *sending) resign() error {
	at := s.first.Add(s.now().Sub(s.start))
	if least := s.draft.At.Add(time.Second); at.Before(least) {
		at = least
	}
	s.draft.At = at
	return s.sign()
}

// sign makes the headers of the delivery.
func (s *sending) sign() (err error) {
	if s.header, err = s.kind.Sign(s.draft); err != nil {
		return fmt.Errorf("%s: the delivery cannot be signed: %w", s.kind.Name, err)
	}
	return nil
}

// post sends the delivery once and prints what came back. It reports whether that was
// 2xx. An error means that it must not be sent there, or that nobody
// reads what is printed.
func (s *sending) post(ctx context.Context, what string) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.to.String(), bytes.NewReader(s.draft.Body))
	if err != nil {
		return false, errURL
	}
	r.Header = s.header.Clone()
	res, err := s.client.Do(r)
	if errors.Is(err, errRemote) {
		return false, errRemote
	}
	if err != nil {
		var u *url.Error // names the URL, whose query may hold a token
		if errors.As(err, &u) {
			err = u.Err
		}
		_, err = fmt.Fprintf(s.stdout, "%s: no response: %s\n", what, printable(err.Error()))
		return false, err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, maxResponse))
	_, err = fmt.Fprintf(s.stdout, "%s: %d %s%s\n", what, res.StatusCode, http.StatusText(res.StatusCode), remarks(res))
	return res.StatusCode/100 == 2, err
}

// remarks says what is worth knowing of a response beyond its status.
func remarks(res *http.Response) string {
	said := ""
	if v := res.Header.Get("Webhook-Duplicate"); v != "" {
		said += fmt.Sprintf(", Webhook-Duplicate: %.20s", printable(v))
	}
	if res.StatusCode/100 == 3 {
		said += ", not followed"
	}
	return said
}
