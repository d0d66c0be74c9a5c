package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
	"unicode"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/config"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
)

// program is the command line with everything that it needs from outside, so that
// tests run it in their own process.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(name string) (string, bool) // an environment variable
	now            func() time.Time
	sleep          func(time.Duration)
	colour         bool

	transport http.RoundTripper // of PayPal's certificates; nil is the library's
	resolver  *net.Resolver     // of hosts to send to; nil is the system's

	out bytes.Buffer // what goes to stdout, unless a file or a flag is wrong
}

// The exit codes.
const (
	exitOK     = 0
	exitReject = 1 // a capture does not verify, a delivery was not taken, an event is unknown or held
	exitWrong  = 2 // a file or a flag is wrong, or a store fails
)

// errReject and errWrong end a command whose output says already what is not as it should be.
var (
	errReject = errors.New("rejected")
	errWrong  = errors.New("wrong")
)

// run runs a command line and returns its exit code. Nothing is printed to stdout if
// a file or a flag is wrong.
func (p *program) run(ctx context.Context, args []string) int {
	err := refuseSecrets(args)
	root := p.root()
	at := root
	if err == nil {
		root.SetArgs(args)
		at, err = root.ExecuteContextC(ctx)
	}
	if err == nil || errors.Is(err, errReject) || errors.Is(err, errWrong) {
		if _, werr := p.stdout.Write(p.out.Bytes()); werr != nil {
			err = fmt.Errorf("standard output: %w", werr)
		}
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errReject):
		return exitReject
	case errors.Is(err, errWrong):
		return exitWrong
	}
	if mistakes, ok := errors.AsType[config.Mistakes](err); ok {
		for _, m := range mistakes { // each as an editor finds the place
			fmt.Fprintln(p.stderr, printable(m.String()))
		}
		if mistakes[0].File == "" {
			fmt.Fprintf(p.stderr, "See %s --help. A file says what no flag does.\n", at.CommandPath())
		}
		return exitWrong
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(p.stderr, "hooknotary:", printable(line))
	}
	fmt.Fprintf(p.stderr, "See %s --help.\n", at.CommandPath())
	return exitWrong
}

const commands = "serve, check, verify, explain, sign, store, assert or providers"

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hooknotary",
		Short: "Verify webhooks: in front of a receiver, or as captured deliveries",
		Long: `Hooknotary stands in front of a receiver of webhooks and hands it each genuine
delivery once. It also works with captured deliveries: it verifies them and says why one
fails, shows what exactly was signed, signs bodies to try an endpoint with, and looks after
the store of a fleet.

A capture is a file with one HTTP/1.1 request as it was received (.http), a HAR file, a
delivery of GitHub as JSON, a request of ngrok or webhook.site as JSON, or the event of a
Lambda function. Secrets come from environment variables, files or the
standard input, never from the command line.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          subcommand(commands),

		SuggestionsMinimumDistance: 2,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("want a command: " + commands)
		},
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetIn(p.stdin)
	root.SetOut(&p.out)
	root.SetErr(p.stderr)
	root.AddCommand(p.verifyCommand(), p.explainCommand(), p.signCommand(), p.storeCommand(), p.assertCommand(), p.providersCommand(), p.serveCommand(), p.checkCommand())
	return root
}

// subcommand refuses arguments of a command that is there for its commands alone,
// without repeating them: they might be anything.
func subcommand(known string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		if s := cmd.SuggestionsFor(args[0]); len(s) > 0 {
			return fmt.Errorf("unknown command: is it %s?", strings.Join(s, " or "))
		}
		return errors.New("unknown command: want " + known)
	}
}

// storeArgument is an argument, or the value of a flag, that has the form of the
// address of a store.
var storeArgument = regexp.MustCompile(`^(--?[a-z0-9-]*=)?(rediss?|postgres|postgresql)://|\bpassword *=`)

// refuseSecrets keeps a secret that was put on the command line out of all messages.
func refuseSecrets(args []string) error {
	for i, arg := range args {
		if storeArgument.MatchString(arg) {
			return fmt.Errorf("argument %d looks like the address of a store, which may hold a password: hand it over with --store-env to serve, and else with --redis-env, --postgres-env, --redis-file or --postgres-file", i+1)
		}
		if sender.HasSecretForm(arg) {
			return fmt.Errorf("argument %d looks like a secret: change it, because command lines are kept in histories, and hand it over with --secret-env, --secret-file or --secret-stdin", i+1)
		}
	}
	return nil
}

// version says which build this is.
func version() string {
	v := "(unknown)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		v = info.Main.Version
	}
	return fmt.Sprintf("%s %s %s/%s", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// colourful reports whether colours are wanted on f.
func colourful(f *os.File, lookup func(string) (string, bool)) bool {
	if v, _ := lookup("NO_COLOR"); v != "" {
		return false
	}
	if v, _ := lookup("TERM"); v == "dumb" {
		return false
	}
	return isatty.IsTerminal(f.Fd())
}

// printable returns s in a form that a terminal does not act on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
}
