package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/sender"
	"github.com/hooknotary/hooknotary/cmd/hooknotary/internal/stores"
	"github.com/hooknotary/hooknotary/middleware"
	"github.com/hooknotary/hooknotary/verify"
	"github.com/hooknotary/hooknotary/verify/replay"
	"github.com/spf13/cobra"
)

const storeCommands = "show, forget or stats"

// commandTimeout bounds a command: stats may have to count for long.
const commandTimeout = 5 * time.Minute

func (p *program) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store show|forget|stats",
		Short: "Look up and forget events in the store of a fleet",
		Long: `Store works with the store that the guards of a fleet share, in Redis, PostgreSQL
or an SQLite file: it shows what is known of an event, forgets it so that it can run
again, and counts the records.`,
		Example: `  hooknotary store show --redis-env REDIS_URL --provider stripe --id evt_1PqX2
  hooknotary store forget --postgres-env DATABASE_URL --provider stripe --id evt_1PqX2 --yes
  hooknotary store stats --sqlite store.db`,
		DisableFlagsInUseLine: true,
		Args:                  subcommand(storeCommands),

		SuggestionsMinimumDistance: 2,
		RunE:                       func(*cobra.Command, []string) error { return errors.New("want a command: " + storeCommands) },
	}
	cmd.AddCommand(p.showCommand(), p.forgetCommand(), p.statsCommand())
	return cmd
}

const (
	storeHelp = `The store is the one that --redis-env, --postgres-env or --sqlite names. The address of
a server holds a password, so it comes from an environment variable or a file:
"redis://[user:password@]host:port[,host:port…][/number]", where several hosts, or one
that says so, are those of a cluster ("rediss" is TLS), or a connection string of PostgreSQL.`

	eventHelp = `An event is named by --endpoint (the name that the guard was made with; "default" for
middleware.Protect), --provider and --id, the signed id; by a --capture of one of its
deliveries, which is verified with the flags of "hooknotary verify" (the only way where
no id is signed, as by GitHub); or by --key. The scope is "default", as verify.Secrets names
it; PayPal's is the webhook id.`
)

func (p *program) showCommand() *cobra.Command {
	var f eventFlags
	cmd := &cobra.Command{
		Use:   "show STORE EVENT [--json]",
		Short: "Show what the store knows of an event",
		Long: `Show says whether an event is done, or in flight and for how long its lease still runs,
or unknown, and how long the record is kept if nothing else happens. It changes nothing.

` + storeHelp + `

` + eventHelp + `

Exit codes: 0 if the event is known; 1 if it is not; 2 if a flag or a file is wrong, a
capture does not verify, or the store fails.

With --json it prints an object with key, status ("done", "in_flight" or "unknown"),
lease_seconds and kept_seconds.`,
		Example: `  hooknotary store show --redis-env REDIS_URL --endpoint billing --provider stripe --id evt_1PqX2
  hooknotary store show --postgres-env DATABASE_URL --provider github --capture push.http --secret-env HOOK_SECRET
  hooknotary store show --sqlite store.db --provider paypal --scope 8PT597110X687430L --id WH-2WR32451HC0233532
  hooknotary store show --redis-env REDIS_URL --json --key 5f0c0d1e3b0a49c1a1d1f3c0b6a5e4d7c8b9fa0e1d2c3b4a5968778695a4b3c2`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments(""),
		RunE:                  func(cmd *cobra.Command, _ []string) error { return p.show(cmd, &f) },
	}
	f.add(cmd)
	return cmd
}

func (p *program) forgetCommand() *cobra.Command {
	var f eventFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "forget STORE EVENT --yes [--json]",
		Short: "Forget a finished event, so that it can run again",
		Long: `Forget drops the record of a finished event. Then the next copy of a delivery of it that
verifies runs its handler again: the provider's next retry or redelivery, but also a copy
in anyone else's hands. An event that is in flight is not forgotten, nor is what ties a
transmission of PayPal to its body.

` + storeHelp + `

` + eventHelp + `

Exit codes: 0 if the event was forgotten; 1 if it is in flight or unknown; 2 if a flag or
a file is wrong, a capture does not verify, or the store fails.

With --json it prints what show prints, of the record as it was, and forgotten.`,
		Example: `  hooknotary store forget --redis-env REDIS_URL --endpoint billing --provider stripe --id evt_1PqX2 --yes
  hooknotary store forget --sqlite store.db --provider github --capture push.http --secret-env HOOK_SECRET --yes`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments(""),
		RunE:                  func(cmd *cobra.Command, _ []string) error { return p.forget(cmd, &f, yes) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "forget the event (required): copies that still verify can then run again")
	return cmd
}

func (p *program) statsCommand() *cobra.Command {
	var f storeFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "stats STORE [--json]",
		Short: "Count the records of the store",
		Long: `Stats counts the records: events, and what ties a transmission of PayPal to its body.
Some may be over and not removed yet. The store has to count them one by one.

` + storeHelp + `

Exit codes: 0; 2 if a flag is wrong or the store fails.

With --json it prints an object with records.`,
		Example: `  hooknotary store stats --redis-env REDIS_URL
  hooknotary store stats --postgres-env DATABASE_URL --table webhooks.store --json`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments(""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd, &f, func(ctx context.Context, r *stores.Store) error {
				stats, err := r.Stats(ctx)
				if err != nil {
					return r.Failed(err)
				}
				if asJSON {
					return json.NewEncoder(&p.out).Encode(map[string]int64{"records": stats.Records})
				}
				unit := "records"
				if stats.Records == 1 {
					unit = "record"
				}
				fmt.Fprintf(&p.out, "%d %s\n", stats.Records, unit)
				return nil
			})
		},
	}
	f.add(cmd)
	addStoreJSON(cmd, &asJSON)
	return cmd
}

func addStoreJSON(cmd *cobra.Command, asJSON *bool) {
	cmd.Flags().BoolVar(asJSON, "json", false, "print a JSON object")
}

// entry is what is known of an event.
type entry struct {
	Key       string  `json:"key"`
	Status    string  `json:"status"`
	Lease     float64 `json:"lease_seconds"`
	Kept      float64 `json:"kept_seconds"`
	Forgotten *bool   `json:"forgotten,omitempty"` // nil for show
	record    replay.Record
}

const (
	statusDone     = "done"
	statusInFlight = "in_flight"
	statusUnknown  = "unknown"
)

// look returns what r knows of an event.
func look(ctx context.Context, r *stores.Store, key replay.Key) (*entry, error) {
	record, ok, err := r.Inspect(ctx, key)
	if err != nil {
		return nil, r.Failed(err)
	}
	e := &entry{Key: key.String(), Status: statusUnknown}
	if !ok {
		return e, nil
	}
	e.Status, e.Lease, e.Kept, e.record = statusDone, record.Lease.Seconds(), record.Kept.Seconds(), record
	if record.Status == replay.InFlight {
		e.Status = statusInFlight
	}
	return e, nil
}

// words describes e for people.
func (e *entry) words() string {
	switch {
	case e.Status == statusUnknown:
		return "unknown: is it this store, and are endpoint, provider, scope and id right?"
	case e.Status == statusDone:
		return "done; kept for " + lasting(e.record.Kept)
	case e.record.Lease <= 0:
		return "in flight, but its lease ran out: the next delivery takes over; kept for " + lasting(e.record.Kept)
	}
	return fmt.Sprintf("in flight: its lease runs for %s; kept for %s", lasting(e.record.Lease), lasting(e.record.Kept))
}

// lasting returns d in a precision for people.
func lasting(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%.1f days", d.Hours()/24)
	}
	return time.Duration(math.Ceil(d.Seconds()) * float64(time.Second)).String()
}

func (p *program) show(cmd *cobra.Command, f *eventFlags) error {
	key, err := f.key(p, cmd)
	if err != nil {
		return err
	}
	return p.withStore(cmd, &f.storeFlags, func(ctx context.Context, r *stores.Store) error {
		e, err := look(ctx, r, key)
		if err != nil {
			return err
		}
		if err := p.printEntry(f, e, e.words()); err != nil {
			return err
		}
		if e.Status == statusUnknown {
			return errReject
		}
		return nil
	})
}

func (p *program) forget(cmd *cobra.Command, f *eventFlags, yes bool) error {
	key, err := f.key(p, cmd)
	if err != nil {
		return err
	}
	if !yes {
		return errors.New("nothing was forgotten: after it, copies of the event that still verify can run again, whoever sends them; say --yes if that is wanted")
	}
	return p.withStore(cmd, &f.storeFlags, func(ctx context.Context, r *stores.Store) error {
		e, err := look(ctx, r, key)
		if err != nil {
			return err
		}
		err = r.Forget(ctx, key)
		held := errors.Is(err, replay.ErrHeld)
		if held {
			// It may have begun just now.
			if e, err = look(ctx, r, key); err != nil {
				return err
			}
		} else if err != nil {
			return r.Failed(err)
		}
		forgotten := !held && e.Status != statusUnknown
		e.Forgotten = &forgotten
		switch {
		case forgotten:
			return p.printEntry(f, e, "forgotten; it was "+e.words()+
				"\nCopies that still verify can run again: the provider's next delivery, and any that somebody kept.")
		case held:
			err = p.printEntry(f, e, "not forgotten; it is "+e.words())
		default:
			err = p.printEntry(f, e, "nothing to forget; it is "+e.words())
		}
		return errors.Join(err, errReject)
	})
}

// printEntry prints e, or what is said about it.
func (p *program) printEntry(f *eventFlags, e *entry, said string) error {
	if f.json {
		return json.NewEncoder(&p.out).Encode(e)
	}
	fmt.Fprintf(&p.out, "%s: %s\n", printable(f.name()), said)
	if f.keyHex == "" {
		fmt.Fprintf(&p.out, "key %s\n", e.Key)
	}
	return nil
}

// eventFlags name an event in a store.
type eventFlags struct {
	storeFlags
	endpointFlags
	endpointName, scope     string
	id, capture, at, keyHex string
	json                    bool
}

func (f *eventFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.storeFlags.add(cmd)
	flags.StringVar(&f.endpointName, "endpoint", "default", "the guard's `NAME`")
	flags.StringVar(&f.scope, "scope", "default", "the `SCOPE` of the secret; for PayPal the webhook id")
	flags.StringVar(&f.id, "id", "", "the event's signed `ID`, such as evt_1PqX2")
	flags.StringVar(&f.capture, "capture", "", "`FILE` with a delivery of the event")
	flags.StringVar(&f.keyHex, "key", "", "the record's key in hexadecimal (`HEX`), as show prints it")
	f.addProvider(cmd)
	f.addSettings(cmd)
	f.addCertificates(cmd)
	flags.BoolVar(&f.InsecureDistinctByDeliveryID, "insecure-distinct-by-delivery-id", false, "GitHub: the guard tells equal bodies apart by the delivery id")
	addAt(cmd, &f.at)
	addStoreJSON(cmd, &f.json)
	cmd.MarkFlagsMutuallyExclusive("id", "capture", "key")
	cmd.MarkFlagsOneRequired("id", "capture", "key")
}

// name names the event for people.
func (f *eventFlags) name() string {
	switch {
	case f.keyHex != "":
		return "key " + f.keyHex
	case f.id != "":
		return fmt.Sprintf("event %s of %s, endpoint %s", f.id, f.provider, f.endpointName)
	}
	return fmt.Sprintf("event of %s of %s, endpoint %s", f.capture, f.provider, f.endpointName)
}

// key returns the key of the event, as its guard makes it.
func (f *eventFlags) key(p *program, cmd *cobra.Command) (key replay.Key, err error) {
	if cmd.Flags().Changed("key") {
		b, err := hex.DecodeString(f.keyHex)
		if err != nil || len(b) != len(key) {
			return key, fmt.Errorf("--key: want %d hexadecimal digits", 2*len(key))
		}
		return replay.Key(b), nil
	}
	e, err := f.endpointFlags.read(p, cmd, f.capture != "")
	if err != nil {
		return key, err
	}
	if len(e.secrets) == 0 {
		e.secrets = []sender.Secret{e.Probe(&e.Settings)}
	}
	v, err := e.newVerifier(e.secrets)
	if err != nil {
		return key, err
	}
	guard, err := middleware.New(f.endpointName, v, replay.NewMemory(nil), nil)
	if err != nil {
		return key, err
	}
	d, err := f.delivery(p, cmd, e, v)
	if err != nil {
		return key, err
	}
	return guard.Key(d), nil
}

// delivery returns what a guard would have verified of the event, as far as its key
// is made of it.
func (f *eventFlags) delivery(p *program, cmd *cobra.Command, e *endpoint, v verify.Verifier) (*verify.Delivery, error) {
	scoped := cmd.Flags().Changed("scope")
	if f.scope == "" {
		return nil, errors.New("--scope is empty")
	}
	if cmd.Flags().Changed("capture") {
		d, err := f.verified(p, cmd, v)
		if err != nil || !scoped {
			return d, err
		}
		if !e.KeySourced() {
			return nil, fmt.Errorf("--scope is not for a capture of %s: its scope is the %s", e.Name, e.About.Identifier)
		}
		scoped := *d
		scoped.Scope = f.scope
		return &scoped, nil
	}
	switch {
	case f.id == "":
		return nil, errors.New("--id is empty")
	case e.SignsNoID():
		return nil, fmt.Errorf("%s signs no id, so --id says nothing: name the event with --capture or --key", e.Name)
	case !e.KeySourced() && !scoped:
		return nil, fmt.Errorf("--scope is missing: for %s it is the %s", e.Name, e.About.Identifier)
	}
	return &verify.Delivery{Provider: v.Profile().Provider, Scope: f.scope, ID: f.id}, nil
}

// verified verifies the capture.
func (f *eventFlags) verified(p *program, cmd *cobra.Command, v verify.Verifier) (*verify.Delivery, error) {
	at, err := parseAt(cmd, f.at)
	if err != nil {
		return nil, err
	}
	if err := captureFiles(cmd, []string{f.capture}); err != nil {
		return nil, err
	}
	captures, err := p.captures(f.capture)
	if err != nil {
		return nil, fileError(f.capture, err)
	}
	if len(captures) != 1 {
		return nil, fmt.Errorf("%s: it has %d deliveries: want one", f.capture, len(captures))
	}
	c, _ := p.dated(captures[0], at)
	d, err := admit(cmd.Context(), v, c)
	if err != nil {
		return nil, fmt.Errorf("%s: it does not verify, so it names no event: %s: %s (hooknotary verify says more)", f.capture, verify.ReasonOf(err).String(), cause(err))
	}
	return d, nil
}
