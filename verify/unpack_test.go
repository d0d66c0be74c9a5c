package verify_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hooknotary/hooknotary/verify"
)

// pack compresses a text.
func pack(t testing.TB, text []byte, changes ...func(*gzip.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(w)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise returns what nothing compresses.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func TestUnpack(t *testing.T) {
	const most = 1 << 20
	event := []byte(`{"id":"evt_1","amount":17}`)
	deflate := func(text []byte) []byte {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, flate.BestCompression)
		w.Write(text)
		w.Close()
		return b.Bytes()
	}
	packed := pack(t, event)
	for _, tt := range []struct {
		name string
		body []byte
		want []byte
		err  verify.Reason // 0: good
		says string
	}{
		{"a body", packed, event, 0, ""},
		{"an empty text", pack(t, nil), []byte{}, 0, ""},
		{"a name in the header", pack(t, event, func(w *gzip.Writer) { w.Name = "event.json" }), event, 0, ""},
		{"an extra field in the header", pack(t, event, func(w *gzip.Writer) { w.Extra = []byte("x") }), nil, verify.ErrBody, "extra field"},
		{"what nothing compresses", pack(t, noise(most)), noise(most), 0, ""},
		{"a text that repeats itself", pack(t, bytes.Repeat([]byte(noise(64)), most/64)), bytes.Repeat([]byte(noise(64)), most/64), verify.ErrTooLarge, "100 times"},
		{"a text that is a byte too large", pack(t, noise(most+1)), nil, verify.ErrTooLarge, "more than the limit"},
		{"a ratio of about 50", pack(t, append(noise(100), bytes.Repeat([]byte("x"), 5_000)...)), append(noise(100), bytes.Repeat([]byte("x"), 5_000)...), 0, ""},
		{"a bomb by its ratio", pack(t, make([]byte, most)), nil, verify.ErrTooLarge, "100 times"},
		{"a bomb by its size", pack(t, make([]byte, 64*most)), nil, verify.ErrTooLarge, ""},
		{"one layer of two", pack(t, packed), packed, 0, ""},
		{"two members", append(bytes.Clone(packed), packed...), nil, verify.ErrBody, "follows"},
		{"a byte behind it", append(bytes.Clone(packed), 0), nil, verify.ErrBody, "follows"},
		{"without its last byte", packed[:len(packed)-1], nil, verify.ErrBody, "cut off"},
		{"without its trailer", packed[:len(packed)-8], nil, verify.ErrBody, "cut off"},
		{"its header alone", packed[:10], nil, verify.ErrBody, "cut off"},
		{"a part of its header", packed[:5], nil, verify.ErrBody, "cut off"},
		{"nothing", nil, nil, verify.ErrBody, "cut off"},
		{"another checksum", append(bytes.Clone(packed[:len(packed)-8]), 1, 2, 3, 4, packed[len(packed)-4], 0, 0, 0), nil, verify.ErrBody, "checksum"},
		{"another length", append(bytes.Clone(packed[:len(packed)-1]), 1), nil, verify.ErrBody, ""},
		{"deflate", deflate(event), nil, verify.ErrBody, "does not start as gzip does"},
		{"zlib", func() []byte {
			var b bytes.Buffer
			w := zlib.NewWriter(&b)
			w.Write(event)
			w.Close()
			return b.Bytes()
		}(), nil, verify.ErrBody, "does not start as gzip does"},
		{"what is not compressed", event, nil, verify.ErrBody, "does not start as gzip does"},
		{"a block that is no block", append(bytes.Clone(packed[:10]), noise(100)...), nil, verify.ErrBody, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := verify.Profile{MaxBody: most, Compression: verify.GzipUnpacked}
			h := &verify.Head{Header: http.Header{"Content-Encoding": {"gzip"}}}
			got, err := p.Unpack(h, tt.body)
			if verify.ReasonOf(err) != tt.err || (err == nil) != (tt.err == 0) {
				t.Fatalf("error is %v, want the reason %q", err, tt.err)
			}
			if err != nil {
				if got != nil {
					t.Error("there is a body beside the error")
				}
				if e := new(verify.Error); !errors.As(err, &e) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error is %v, want it to say %q", err, tt.says)
				}
				return
			}
			if !bytes.Equal(got, tt.want) {
				t.Errorf("%d bytes, want %d", len(got), len(tt.want))
			}
			// The size of what arrives at once must not matter.
			slow, err := io.ReadAll(verify.NewUnpacker(iotest.OneByteReader(bytes.NewReader(tt.body))))
			if err != nil || !bytes.Equal(slow, tt.want) {
				t.Errorf("byte by byte: %d bytes, %v", len(slow), err)
			}
		})
	}

	t.Run("only what is announced and allowed is unpacked", func(t *testing.T) {
		for _, tt := range []struct {
			name     string
			profile  verify.Compression
			encoding []string
			unpacks  bool
		}{
			{"gzip", verify.GzipUnpacked, []string{"gzip"}, true},
			{"gzip in capitals", verify.GzipUnpacked, []string{"GZIP"}, true},
			{"no encoding", verify.GzipUnpacked, nil, false},
			{"gzip that is what is signed", verify.GzipSigned, []string{"gzip"}, false},
			{"gzip that is not allowed", 0, []string{"gzip"}, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				p := verify.Profile{MaxBody: most, Compression: tt.profile}
				got, err := p.Unpack(&verify.Head{Header: http.Header{"Content-Encoding": tt.encoding}}, packed)
				if err != nil {
					t.Fatal(err)
				}
				if want := map[bool][]byte{true: event, false: packed}[tt.unpacks]; !bytes.Equal(got, want) {
					t.Errorf("got %q", got)
				}
			})
		}
	})

	t.Run("a reader's own error is passed on", func(t *testing.T) {
		broken := errors.New("broken")
		for _, n := range []int{0, 3, 15, len(packed)} {
			r := io.MultiReader(bytes.NewReader(packed[:n]), iotest.ErrReader(broken))
			if _, err := io.ReadAll(verify.NewUnpacker(r)); !errors.Is(err, broken) {
				t.Errorf("behind %d bytes: %v", n, err)
			}
		}
	})

	t.Run("a bomb costs little memory", func(t *testing.T) {
		bomb := pack(t, make([]byte, 256*most))
		p := verify.Profile{MaxBody: most, Compression: verify.GzipUnpacked}
		h := &verify.Head{Header: http.Header{"Content-Encoding": {"gzip"}}}
		got := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Unpack(h, bomb); verify.ReasonOf(err) != verify.ErrTooLarge {
					b.Fatal(err)
				}
			}
		}).AllocedBytesPerOp()
		if got > 256<<10 {
			t.Errorf("%d bytes are made for one bomb of %d, want at most 256 KiB", got, len(bomb))
		}
	})
}

func FuzzUnpack(f *testing.F) {
	for _, text := range [][]byte{nil, []byte("{}"), noise(100), make([]byte, 5000)} {
		packed := pack(f, text)
		f.Add(packed)
		f.Add(append(packed, packed...))
		f.Add(packed[:len(packed)/2])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := io.ReadAll(io.LimitReader(verify.NewUnpacker(bytes.NewReader(body)), 1<<20))
		if len(got) > 100*len(body) {
			t.Errorf("%d bytes became %d", len(body), len(got))
		}
		if err != nil || len(got) == 1<<20 {
			return
		}
		// What is accepted, package gzip reads in the same way.
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("package gzip reads %d bytes, want %d: %v", len(want), len(got), err)
		}
	})
}
