package forward_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/middleware/forward"
	"github.com/hooknotary/hooknotary/providers/stripe"
	"github.com/hooknotary/hooknotary/verify/replay"
)

// benchVariable makes the test binary a proxy for BenchmarkProxy: it names the kind.
const benchVariable = "HOOKNOTARY_FORWARD_BENCHMARK"

func TestMain(m *testing.M) {
	if kind := os.Getenv(benchVariable); kind != "" {
		if err := proxy(kind, os.Args[1]); err != nil {
			log.Fatal(err)
		}
		return
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	m.Run()
}

// proxy serves until its input ends.
func proxy(kind, upstream string) error {
	target, err := url.Parse(upstream)
	if err != nil {
		return err
	}
	var h http.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	if kind != "ReverseProxy" {
		o := new(forward.Options)
		if kind == "ES256" {
			o.Assertion = newSigner(new(testing.B))
		}
		g, err := middleware.New("billing", stripe.Must(secret), replay.NewMemory(nil), nil)
		if err != nil {
			return err
		}
		if h, err = forward.New(g, upstream, o); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go http.Serve(l, h)
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// BenchmarkProxy measures the CPU time that a proxy process takes for a delivery: a guarded
// route, one that also signs, and an httputil.ReverseProxy that checks nothing. They take
// turns, and the medians count. On a busy machine only the ratio means anything.
func BenchmarkProxy(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				br := bufio.NewReaderSize(c, 64<<10)
				for {
					r, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, ok)
				}
			}()
		}
	}()
	binary, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	// run returns the CPU time of a delivery, in microseconds.
	run := func(b *testing.B, kind string, size, deliveries int) float64 {
		cmd := exec.Command(binary, "http://"+l.Addr().String())
		cmd.Env = append(os.Environ(), benchVariable+"="+kind)
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		var address string
		if _, err := fmt.Fscanln(stdout, &address); err != nil {
			b.Fatal(err)
		}
		var raw [][]byte // signed after its store has begun
		for range deliveries {
			var one bytes.Buffer
			if err := eventOf(size).Write(&one); err != nil {
				b.Fatal(err)
			}
			raw = append(raw, one.Bytes())
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		br := bufio.NewReader(c)
		for _, one := range raw {
			if _, err := c.Write(one); err != nil {
				b.Fatal(err)
			}
			response, err := http.ReadResponse(br, nil)
			if err != nil || response.StatusCode != 200 {
				b.Fatalf("the sender gets %v, %v", response, err)
			}
			io.Copy(io.Discard, response.Body)
		}
		c.Close()
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
		spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		return float64(spent) / float64(time.Microsecond) / float64(deliveries)
	}
	for _, size := range []int{256, 4 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			deliveries := 3000
			if size == 1<<20 {
				deliveries = 150
			}
			spent := make(map[string][]float64)
			for b.Loop() {
				for _, kind := range []string{"guarded", "ES256", "ReverseProxy"} {
					spent[kind] = append(spent[kind], run(b, kind, size, deliveries))
				}
			}
			median := func(kind string) float64 {
				slices.SortFunc(spent[kind], cmp.Compare)
				return spent[kind][len(spent[kind])/2]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median("ReverseProxy"), "µs/ReverseProxy")
			b.ReportMetric(median("guarded"), "µs/guarded")
			b.ReportMetric(median("ES256")-median("guarded"), "µs/ES256")
			b.ReportMetric(median("guarded")/median("ReverseProxy"), "ratio")
		})
	}
}
