package providertest_test

import (
	"testing"

	"github.com/hooknotary/hooknotary/providers/catalog"
	"github.com/hooknotary/hooknotary/providers/providertest"
)

// senders returns every provider of the catalogue that is data.
func senders() []providertest.Sender {
	var all []providertest.Sender
	for _, p := range catalog.All() {
		if p.Definition != nil {
			all = append(all, providertest.Sender{Definition: *p.Definition, Dir: "../" + p.Vectors()})
		}
	}
	return all
}

func TestSenders(t *testing.T) {
	for _, s := range senders() {
		t.Run(s.Definition.Provider, s.Test)
	}
}

// TestOutsideVectors: the signer and the verifier share the definition, so a mistake in
// it needs a delivery of somebody else to be found. The catalogue says where none is.
func TestOutsideVectors(t *testing.T) {
	for _, s := range senders() {
		t.Run(s.Definition.Provider, func(t *testing.T) {
			switch said := s.Definition.About.OutsideVector; {
			case said == "" && s.Outside(t):
				t.Error("About.OutsideVector says that nobody else made a delivery, and there is one")
			case said != "" && !s.Outside(t):
				t.Errorf("About.OutsideVector is %q, and there is no delivery that somebody else made", said)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) { bench(b, providertest.Sender.BenchVerify) }

func BenchmarkHMAC(b *testing.B) { bench(b, providertest.Sender.BenchHMAC) }

func BenchmarkRatio(b *testing.B) { bench(b, providertest.Sender.BenchRatio) }

func BenchmarkRefuseHead(b *testing.B) { bench(b, providertest.Sender.BenchRefuse) }

func bench(b *testing.B, f func(providertest.Sender, *testing.B)) {
	for _, s := range senders() {
		b.Run(s.Definition.Provider, func(b *testing.B) { f(s, b) })
	}
}

func FuzzBody(f *testing.F) { providertest.FuzzBody(f, senders()...) }

func FuzzHead(f *testing.F) { providertest.FuzzHead(f, senders()...) }
