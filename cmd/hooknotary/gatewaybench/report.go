//go:build linux

package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
)

// sample is one number that was measured.
type sample struct {
	round         int
	kind, measure string
	value         float64
}

// samples holds what was measured.
type samples struct {
	round int // this one
	all   []sample
}

func (s *samples) add(kind, measure string, value float64) {
	s.all = append(s.all, sample{s.round, kind, measure, value})
}

// of returns the number of a round.
func (s *samples) of(round int, kind, measure string) (float64, bool) {
	i := slices.IndexFunc(s.all, func(x sample) bool { return x.round == round && x.kind == kind && x.measure == measure })
	if i < 0 {
		return 0, false
	}
	return s.all[i].value, true
}

// writeCSV writes all samples.
func (s *samples) writeCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write([]string{"round", "kind", "measure", "value"})
	for _, x := range s.all {
		c.Write([]string{strconv.Itoa(x.round + 1), x.kind, x.measure, strconv.FormatFloat(x.value, 'g', -1, 64)})
	}
	c.Flush()
	return c.Error()
}

func median(values []float64) float64 {
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}

// goal is one of the performance target.
type goal struct {
	what    string
	limit   float64
	atLeast bool
	// of returns what a round makes of it.
	of func(get func(kind, measure string) float64) float64
}

func ratio(a, b, measure string) func(func(kind, measure string) float64) float64 {
	return func(get func(kind, measure string) float64) float64 { return get(a, measure) / get(b, measure) }
}

func value(kind, measure string) func(func(kind, measure string) float64) float64 {
	return func(get func(kind, measure string) float64) float64 { return get(kind, measure) }
}

var goals = []goal{
	{"CPU a delivery, 4 KiB, over ReverseProxy", 0.90, false, ratio(plain, reverseProxy, cpu+"4 KiB")},
	{"… of many over all connections at once", 0.90, false, ratio(plain, reverseProxy, cpuFlood)},
	{"… with metrics, one after another", 0.95, false, ratio(withMetrics, reverseProxy, cpu+"4 KiB")},
	{"CPU a delivery, 256 B, over ReverseProxy", 1.0, false, ratio(plain, reverseProxy, cpu+"256 B")},
	{"CPU a delivery, 1 MiB, over ReverseProxy", 0.80, false, ratio(plain, reverseProxy, cpu+"1 MiB")},
	{"an ES256 assertion adds, µs of CPU", 60, false, func(get func(kind, measure string) float64) float64 {
		return get(withES256, cpu+"4 KiB") - get(plain, cpu+"4 KiB")
	}},
	{"requests/s at all connections, over ReverseProxy", 1.05, true, ratio(plain, reverseProxy, rate)},
	{"CPU a delivery, 4 KiB, over nginx", 3.5, false, ratio(plain, nginx, cpu+"4 KiB")},
	{"CPU a delivery, 4 KiB, over Caddy", 1.0, false, ratio(plain, caddy, cpu+"4 KiB")},
	{"added latency at half load, memory, p50 ms", 0.25, false, value(plain, addedMedian)},
	{"… p99 ms", 1, false, value(plain, added99)},
	{"added latency at half load, Redis, p50 ms", 0.8, false, value(withRedis, addedMedian)},
	{"… p99 ms", 3, false, value(withRedis, added99)},
	{"added latency at half load, PostgreSQL, p50 ms less 2 fsyncs", 1, false, func(get func(kind, measure string) float64) float64 {
		return get(withPostgres, addedMedian) - 2*get("disk", fsyncTime)
	}},
	{"CPU of a refusal on the head, over a proxied delivery", 0.25, false, func(get func(kind, measure string) float64) float64 {
		return get(plain, cpuRefusal) / get(plain, cpu+"4 KiB")
	}},
	{"… that has a connection of its own, as the refusal has", 0.25, false, func(get func(kind, measure string) float64) float64 {
		return get(plain, cpuRefusal) / get(plain, cpuAlone)
	}},
	{"upstream connections of refusals", 0, false, value(plain, refusalDials)},
	{"memory, idle, MiB", 40, false, value(plain, memoryIdle)},
	{"memory, a slow head, KiB", 64, false, value(plain, memoryHead)},
	{"memory, bodies in flight, peak over the budget", 1.0, false, func(get func(kind, measure string) float64) float64 {
		return get(plain, memoryBodies) / mib(bodyBudget)
	}},
	{"reload of all routes, ms", 200, false, value(plain, reloadTime)},
	{"p99 while reloading, over that without", 2, false, value(plain, reloadSlower)},
}

// report prints the medians of what was measured, and the goals.
func (b *bench) report(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "median of %d rounds\tmeasure\tmedian\tleast\tmost\n", b.rounds)
	var rows []sample
	for _, x := range b.all {
		if !slices.ContainsFunc(rows, func(y sample) bool { return x.kind == y.kind && x.measure == y.measure }) {
			rows = append(rows, x)
		}
	}
	slices.SortStableFunc(rows, func(x, y sample) int { return cmp.Compare(order(x.kind), order(y.kind)) })
	for _, row := range rows {
		var values []float64
		for _, x := range b.all {
			if x.kind == row.kind && x.measure == row.measure {
				values = append(values, x.value)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", row.kind, row.measure, number(median(values)), number(slices.Min(values)), number(slices.Max(values)))
	}
	fmt.Fprintf(t, "\ngoal\tmeasured\tleast\tmost\twanted\t\n")
	for _, g := range goals {
		values := b.values(g)
		sign, met := "≤", "missed"
		if g.atLeast {
			sign = "≥"
		}
		if len(values) == 0 {
			fmt.Fprintf(t, "%s\t–\t–\t–\t%s %v\tnot measured\n", g.what, sign, g.limit)
			continue
		}
		if m := median(values); g.atLeast && m >= g.limit || !g.atLeast && m <= g.limit {
			met = "met"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s %v\t%s\n", g.what, number(median(values)), number(slices.Min(values)), number(slices.Max(values)), sign, g.limit, met)
	}
	return t.Flush()
}

// values returns what each round makes of a goal, where all of it was measured.
func (b *bench) values(g goal) (values []float64) {
	for round := range b.rounds {
		complete := true
		v := g.of(func(kind, measure string) float64 {
			x, ok := b.of(round, kind, measure)
			complete = complete && ok
			return x
		})
		if complete {
			values = append(values, v)
		}
	}
	return values
}

// order sorts the kinds of the report.
func order(kind string) int {
	i := slices.Index([]string{reverseProxy, nginx, caddy, plain, withMetrics, withES256, withRedis, withPostgres}, kind)
	if i < 0 {
		return 100
	}
	return i
}

// number prints three digits that count.
func number(v float64) string {
	switch {
	case v >= 100 || v <= -100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}
