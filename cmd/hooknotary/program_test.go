package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/paypal/paypaltest"
)

func TestHelp(t *testing.T) {
	t.Run("shows examples of every command", func(t *testing.T) {
		for _, command := range []string{"verify", "explain", "sign", "providers", "store", "store show", "store forget", "store stats", "assert", "assert verify", "assert jwks", "check"} {
			words := strings.Fields(command)
			for _, args := range [][]string{append(words[:len(words):len(words)], "--help"), append([]string{"help"}, words...), append(words[:len(words):len(words)], "-h")} {
				got := hooknotary(t, setup{}, args...)
				got.want(t, 0, "Examples:\n  hooknotary "+command)
				for line := range strings.Lines(got.out) {
					if len([]rune(line)) > 180 {
						t.Errorf("a line of the help is too long: %q", line)
					}
				}
			}
		}
		hooknotary(t, setup{}, "--help").want(t, 0, "verify", "explain", "sign", "store", "assert", "check", "providers")
		hooknotary(t, setup{}, "verify", "--help").want(t, 0, "Exit codes: 0", "received_from", "findings")
	})

	// Takes each example apart and looks whether its flags
	// exist.
	t.Run("examples of the help are right", func(t *testing.T) {
		n := 0
		for _, c := range allCommands((&program{}).root()) {
			for line := range strings.Lines(c.Example) {
				_, line, ok := strings.Cut(line, c.CommandPath())
				if !ok {
					t.Errorf("an example of %s is for something else", c.CommandPath())
				}
				n++
				line, _, _ = strings.Cut(line, ">")
				at, args, err := c.Find(strings.Fields(line))
				if err == nil {
					err = at.ParseFlags(args)
				}
				if err != nil {
					t.Errorf("%s%s: %v", c.CommandPath(), line, err)
				}
			}
		}
		if n < 24 {
			t.Errorf("there are %d examples", n)
		}
	})
}

// allCommands returns the commands below c, and those below them.
func allCommands(c *cobra.Command) (all []*cobra.Command) {
	for _, c := range c.Commands() {
		all = append(append(all, c), allCommands(c)...)
	}
	return all
}

func TestCommandLine(t *testing.T) {
	t.Run("a command line without a command is wrong", func(t *testing.T) {
		hooknotary(t, setup{}).want(t, 2, "want a command")
		hooknotary(t, setup{}, "verfy").want(t, 2, "is it verify?")
		hooknotary(t, setup{}, "frobnicate").want(t, 2, "unknown command", "!frobnicate")
		hooknotary(t, setup{}, "--frobnicate").want(t, 2, "unknown flag")
	})

	t.Run("the version is that of the build", func(t *testing.T) {
		hooknotary(t, setup{}, "--version").want(t, 0, "hooknotary ", runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	})

	t.Run("providers are completed", func(t *testing.T) {
		got := hooknotary(t, setup{}, "__complete", "verify", "--provider", "")
		if !strings.HasPrefix(got.out, strings.Join(known(), "\n")+"\n") {
			t.Errorf("completion is %q", got.out)
		}
	})

	t.Run("colours need a terminal", func(t *testing.T) {
		terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
		if err != nil {
			t.Skipf("there is no terminal to be had: %v", err)
		}
		defer terminal.Close()
		file, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for _, tt := range []struct {
			name string
			file *os.File
			env  map[string]string
			want bool
		}{
			{"a terminal", terminal, nil, true},
			{"a terminal with an empty NO_COLOR", terminal, map[string]string{"NO_COLOR": "", "TERM": "xterm"}, true},
			{"a terminal with NO_COLOR", terminal, map[string]string{"NO_COLOR": "1"}, false},
			{"a dumb terminal", terminal, map[string]string{"TERM": "dumb"}, false},
			{"a file", file, nil, false},
		} {
			got := colourful(tt.file, func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok })
			if got != tt.want {
				t.Errorf("%s: colours are %v", tt.name, got)
			}
		}
	})

	t.Run("an output that fails is no success", func(t *testing.T) {
		good := save(t, "good.http", invoice())
		s := secrets()
		s.edit = func(p *program) { p.stdout = brokenPipe{} }
		for _, args := range [][]string{
			{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good},
			{"providers"},
			{"--version"},
		} {
			hooknotary(t, s, args...).want(t, 2, "standard output: nobody reads")
		}
	})

	// Runs what users run.
	t.Run("the binary ends with its exit code", func(t *testing.T) {
		if testing.Short() {
			t.Skip("it builds a program")
		}
		binary := filepath.Join(t.TempDir(), "hooknotary.exe")
		if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
		good, bad := save(t, "good.http", invoice()), save(t, "bad.http", edited(invoice(), forge))
		for _, tt := range []struct {
			name  string
			args  []string
			stdin string
			want  outcome
		}{
			{"all verify", []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good}, "", outcome{0, "accept  " + good, ""}},
			{"one does not", []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good, bad}, "", outcome{1, "accept  " + good, ""}},
			{"a file is wrong", []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", good, "missing"}, "", outcome{2, "", "hooknotary: missing: no such file"}},
			{"a flag is wrong", []string{"verify", "--provider", "stripe", "--secret-env", "STRIPE_SECRET", "--nonsense", good}, "", outcome{2, "", "hooknotary: unknown flag: --nonsense"}},
			{"the secret from the standard input", []string{"verify", "--provider", "stripe", "--secret-stdin", good}, stripeSecret + "\n", outcome{0, "accept  " + good, ""}},
			{"the version", []string{"--version"}, "", outcome{0, "hooknotary ", ""}},
			{"nothing", nil, "", outcome{2, "", "hooknotary: want a command"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				cmd := exec.CommandContext(context.Background(), binary, tt.args...)
				cmd.Env = append(os.Environ(), "STRIPE_SECRET="+stripeSecret)
				cmd.Stdin = strings.NewReader(tt.stdin)
				var out, errs bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errs
				err := cmd.Run()
				if e := (*exec.ExitError)(nil); err != nil && !errors.As(err, &e) {
					t.Fatal(err)
				}
				got := outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
				if got.code != tt.want.code || !strings.HasPrefix(got.out, tt.want.out) || !strings.HasPrefix(got.err, tt.want.err) || (got.err == "") != (tt.want.err == "") || strings.Contains(got.out, "\x1b") {
					t.Errorf("got %+v, want it to begin like %+v", got, tt.want)
				}
			})
		}
	})
}

// known returns the names of the providers of the catalogue.
func known() []string {
	var names []string
	for _, p := range catalog.All() {
		names = append(names, p.Name)
	}
	return names
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("nobody reads") }

func TestPayPal(t *testing.T) {
	t.Run("a delivery is verified with its certificate", func(t *testing.T) {
		pp := paypaltest.New(webhookID)
		sandbox := paypaltest.NewSandbox(webhookID)
		served := func(pp *paypaltest.PayPal) string { return certificate(t, pp, pp.CertURL()) }
		issuer := func(pp *paypaltest.PayPal) string {
			return certificate(t, pp, "http://cacerts.digicert.com/HooknotaryTestIssuer.crt")
		}
		root := func(pp *paypaltest.PayPal) string { return encodePEM(t, pp.Roots()[0].Raw) }
		file, sandboxFile := save(t, "sale.http", sale(pp)), save(t, "sandbox.http", sale(sandbox))
		s := setup{env: map[string]string{"ID": webhookID, "OTHER": "0FV983392A0531201"}, edit: func(p *program) { p.transport = noNetwork{} }}
		offline := func(pp *paypaltest.PayPal) []string {
			return []string{"--cert", served(pp), "--intermediates", issuer(pp), "--roots", root(pp)}
		}
		for _, tt := range []struct {
			name   string
			args   []string
			code   int
			reason string
		}{
			{"offline", append(offline(pp), "--secret-env", "ID", file), 0, ""},
			{"another webhook", append(offline(pp), "--secret-env", "OTHER", file), 1, "mismatch"},
			{"no root", []string{"--cert", served(pp), "--intermediates", issuer(pp), "--secret-env", "ID", file}, 1, "untrusted"},
			{"no issuer", []string{"--cert", served(pp), "--roots", root(pp), "--secret-env", "ID", file}, 1, "untrusted"},
			{"another certificate", append(offline(paypaltest.New(webhookID)), "--secret-env", "ID", file), 1, "mismatch"},
			{"no certificate and no network", []string{"--intermediates", issuer(pp), "--roots", root(pp), "--secret-env", "ID", file}, 1, "unavailable"},
			{"the sandbox", append(offline(sandbox), "--sandbox", "--secret-env", "ID", sandboxFile), 0, ""},
			{"the sandbox for live", append(offline(sandbox), "--secret-env", "ID", sandboxFile), 1, "untrusted"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := hooknotary(t, s, append([]string{"verify", "--provider", "paypal", "--json"}, tt.args...)...)
				got.want(t, tt.code)
				if r := parseResult(t, got.out); r.Reason != tt.reason {
					t.Errorf("reason is %q (%s), want %q", r.Reason, r.Error, tt.reason)
				}
			})
		}
		// Without --cert it is fetched, here from what stands for PayPal's host.
		s.edit = func(p *program) { p.transport = pp }
		got := hooknotary(t, s, "verify", "--provider", "paypal", "--json", "--roots", root(pp), "--secret-env", "ID", file)
		got.want(t, 0)
		if r := parseResult(t, got.out); r.Delivery == nil || r.Delivery.MessageID == "" || r.Delivery.Binding != "checksum" || len(pp.Fetched()) == 0 {
			t.Errorf("got %s after fetching %q", got.out, pp.Fetched())
		}
	})

	t.Run("findings know environments and the simulator", func(t *testing.T) {
		live, sandbox, simulator := paypaltest.New(webhookID), paypaltest.NewSandbox(webhookID), paypaltest.New("WEBHOOK_ID")
		s := setup{env: map[string]string{"ID": webhookID, "OTHER": "0FV983392A0531201"}}
		for _, tt := range []struct {
			name string
			pp   *paypaltest.PayPal
			args []string
			want string
		}{
			{"the sandbox for live", sandbox, []string{"--secret-env", "ID"}, "proved paypal.environment"},
			{"live for the sandbox", live, []string{"--secret-env", "ID", "--sandbox"}, "proved paypal.environment"},
			{"the simulator", simulator, []string{"--secret-env", "ID"}, "proved paypal.simulator"},
			{"another webhook", live, []string{"--secret-env", "OTHER", "--other-secret-env", "ID"}, "proved paypal.webhook-id"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				s.edit = func(p *program) { p.transport = tt.pp }
				file := save(t, "sale.http", sale(tt.pp))
				args := append([]string{"verify", "--provider", "paypal", "--json", "--roots", encodePEM(t, tt.pp.Roots()[0].Raw), file}, tt.args...)
				got := hooknotary(t, s, args...)
				got.want(t, 1)
				if r := parseResult(t, got.out); len(r.Findings) == 0 || string(r.Findings[0].Confidence)+" "+string(r.Findings[0].ID) != tt.want {
					t.Errorf("reason %s, findings %+v, want %s first", r.Reason, r.Findings, tt.want)
				}
			})
		}
	})
}
