package telemetry_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const files = "../../telemetry/" // what users load

func TestAlerts(t *testing.T) {
	t.Run("each fires when it should, and not otherwise", func(t *testing.T) {
		promtool(t, "", "check", "rules", files+"alerts.yml")
		promtool(t, "", "test", "rules", files+"alerts_test.yml")
	})

	t.Run("what they and their tests name is in a scrape", func(t *testing.T) {
		known, labels := names(scrape(t, busy(t).Telemetry))
		for _, name := range [...]string{"alerts.yml", "alerts_test.yml"} {
			text := read(t, name)
			found := regexp.MustCompile(`\bhooknotary_\w+`).FindAllString(text, -1)
			if len(found) < 10 {
				t.Errorf("%s names %d: does the test still look at anything?", name, len(found))
			}
			for _, n := range found {
				if !known[n] && !labels[n] {
					t.Errorf("%s: there is no %s in a scrape", name, n)
				}
			}
		}
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(files + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// names returns the names of the series of a scrape, and of their labels.
func names(text string) (known, labels map[string]bool) {
	known, labels = make(map[string]bool), make(map[string]bool)
	for s := range series(text) {
		known[family(s)] = true
		for _, l := range regexp.MustCompile(`(\w+)="`).FindAllStringSubmatch(s, -1) {
			labels[l[1]] = true
		}
	}
	return known, labels
}

// Each expression of the dashboard is a recording rule here, over the series of a real
// scrape, and must have a value with all the labels that its legend shows.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			ID          int
			Title, Type string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}

	type sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
	type expression struct {
		Expr    string   `json:"expr"`
		At      string   `json:"eval_time"`
		Samples []sample `json:"exp_samples"`
	}
	var rules []map[string]string
	var tests []expression
	wantSome := func(expr string) {
		tests = append(tests, expression{"count(" + expr + ") > bool 0", "30m", []sample{{"{}", 1}}})
	}
	ids := make(map[int]bool)
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q has an id that is taken, or no place", p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$endpoint", ".*").Replace(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("panel %q has another variable: %s", p.Title, expr)
			}
			rule := fmt.Sprintf("dashboard:%d", len(rules))
			rules = append(rules, map[string]string{"record": rule, "expr": expr})
			wantSome(rule + " == " + rule) // a number, and not NaN
			for _, label := range regexp.MustCompile(`{{(\w+)}}`).FindAllStringSubmatch(target.LegendFormat, -1) {
				wantSome(rule + "{" + label[1] + `!=""}`)
			}
		}
	}
	if len(rules) < 20 {
		t.Errorf("there are %d expressions: does the test still look at anything?", len(rules))
	}

	var input []map[string]string
	for s := range series(scrape(t, busy(t).Telemetry)) {
		name, labels, _ := strings.Cut(strings.TrimSuffix(s, "}"), "{")
		input = append(input, map[string]string{"series": name + `{instance="one",` + labels + "}", "values": "0+1x60"})
	}
	dir := t.TempDir()
	write := func(name string, v any) string {
		text, err := json.Marshal(v) // which is YAML, too
		if err == nil {
			name = filepath.Join(dir, name)
			err = os.WriteFile(name, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	alerts, err := filepath.Abs(files + "alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	own := write("rules.yml", map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	promtool(t, "", "test", "rules", write("test.yml", map[string]any{
		"rule_files": []string{alerts, own},
		"tests":      []any{map[string]any{"interval": "1m", "input_series": input, "promql_expr_test": tests}},
	}))
}
