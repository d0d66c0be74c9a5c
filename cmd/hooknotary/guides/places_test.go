//go:build unix

package guides_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hooknotary/hooknotary/middleware/assertion"
	"github.com/hooknotary/hooknotary/providers/github/githubtest"
	"github.com/hooknotary/hooknotary/providers/stripe/stripetest"
)

// billing is a receiver that counts what the gateway asserts.
type billing struct {
	unsigned bool // it takes requests without an assertion
	runs     atomic.Int64
}

func (b *billing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil || !b.unsigned && r.Header.Get(assertion.Header) == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	b.runs.Add(1)
}

// tryBilling sends a genuine and a forged delivery to a gateway in front of b.
func tryBilling(t *testing.T, url string, b *billing) {
	t.Helper()
	body := stripeEvent("evt_place")
	header := stripetest.Header(time.Now(), []byte(body), stripeSecret)
	if got := send(t, url, header.Clone(), body); got != 200 {
		t.Errorf("a genuine delivery is answered with %d", got)
	}
	if got := send(t, url, header.Clone(), body+" "); got != 401 {
		t.Errorf("a forged delivery is answered with %d", got)
	}
	if got := b.runs.Load(); got != 1 {
		t.Errorf("the receiver ran %d times, want once", got)
	}
}

func get(t *testing.T, url string) int {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestSystemd(t *testing.T) {
	need(t, "openssl", "systemd-analyze")
	w := newWalk(t, "systemd.md", "8080", "9090", "3000")
	for _, folder := range []string{"/etc/hooknotary", "/etc/systemd", "/usr/local/bin", "/var/lib/hooknotary"} {
		w.replace = append(w.replace, folder, w.dir+folder)
	}
	w.replace = append(w.replace, "sudo ", "")
	w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+stripeSecret)
	credentials := filepath.Join(w.dir, "credentials")
	w.replace = append(w.replace, "/run/credentials/hooknotary.service", credentials)
	state := w.here("/var/lib/hooknotary")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	// No systemd runs here. What it would do with the unit is done below.
	w.special = map[string]func(block){"systemd": func(block) {}}
	w.run()

	file := w.here("/etc/systemd/system/hooknotary.service")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	unit := w.here(string(text))
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("systemd-analyze finds nothing wrong", func(t *testing.T) {
		if out, err := w.shell("systemd-analyze verify " + file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
		out, _ := w.shell("systemd-analyze security --no-pager --offline=true " + file).CombinedOutput()
		level := regexp.MustCompile(`exposure level[^:]*: ([0-9.]+)`).FindSubmatch(out)
		if level == nil {
			t.Fatalf("no level in\n%s", out)
		}
		if n, err := strconv.ParseFloat(string(level[1]), 64); err != nil || n > 1.3 {
			t.Errorf("the exposure level is %s, and the page says 1.3", level[1])
		}
	})

	t.Run("what the unit starts serves", func(t *testing.T) {
		if err := os.Mkdir(credentials, 0o700); err != nil {
			t.Fatal(err)
		}
		var start string
		for line := range strings.Lines(unit) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch name {
			case "LoadCredential":
				id, from, _ := strings.Cut(value, ":")
				secret, err := os.ReadFile(from)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(credentials, id), secret, 0o400); err != nil {
					t.Fatal(err)
				}
			case "ExecStart":
				start = value
			case "TimeoutStopSec":
				if seconds, err := strconv.Atoi(value); err != nil || seconds < 30 {
					t.Errorf("the unit waits %s seconds for what is under way", value)
				}
			}
		}
		receiver := &billing{}
		serveOn(t, w.here("3000"), receiver)
		ports := w.here
		w := &walk{T: t, page: w.page, dir: w.dir, env: []string{"CREDENTIALS_DIRECTORY=" + credentials, "STRIPE_WEBHOOK_SECRET="}}
		p := w.start(block{language: "sh", text: "exec " + start}, "serving")
		if got := get(t, ports("http://127.0.0.1:9090/readyz")); got != 200 {
			t.Errorf("readyz is %d", got)
		}
		tryBilling(t, ports("http://127.0.0.1:8080/hooks/stripe"), receiver)
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.done:
			if code := p.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("it ended with %d", code)
			}
		case <-time.After(patience):
			t.Error("it does not end")
		}
	})
}

// TestContainer builds the image, but for its base, which would have to be fetched: the first
// stage is a folder with what its RUN makes here.
func TestContainer(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what builds an image")
	}
	need(t, "podman", "openssl", "curl")
	if os.Getuid() != 0 {
		t.Skip("only root gives files to the user of the image")
	}
	w := newWalk(t, "container.md", "8080", "9090", "3000")
	image := "localhost/hooknotary-guide-" + w.here("8080")
	w.replace = append(w.replace, "--name hooknotary ", "--name "+filepath.Base(image)+" ", "/var/lib/hooknotary\" hooknotary\n", "/var/lib/hooknotary\" "+image+"\n",
		":ro\" hooknotary check", ":ro\" "+image+" check", "-t hooknotary -f", "-t "+image+" -f")
	w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+stripeSecret, "CONTAINERS_CONF="+containersConf(t))
	receiver := &billing{}
	serveOn(t, w.here("3000"), receiver)
	w.special = map[string]func(block){"image": func(b block) {
		stage := buildStage(t)
		build, n := strings.CutPrefix(w.here(b.text), "podman build ")
		if !n {
			t.Fatalf("the image is built by %q", b.text)
		}
		script := "cd \"$CHECKOUT\"\npodman build --build-context build=" + stage + " " + build
		if out, err := w.shell(script).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Cleanup(func() { exec.Command("podman", "rmi", "--force", image).Run() })
		if out, err := w.shell("podman run --rm --network none " + image + " --help").CombinedOutput(); err != nil {
			t.Skipf("this machine runs no containers: %s", bytes.TrimSpace(out))
		}
	}}
	t.Cleanup(func() { exec.Command("podman", "rm", "--force", filepath.Base(image)).Run() })
	w.run()
	tryBilling(t, w.here("http://127.0.0.1:8080/hooks/stripe"), receiver)

	t.Run("a secret that is replaced in its folder is seen", func(t *testing.T) {
		file := filepath.Join(w.dir, "etc/secrets/stripe")
		if err := os.WriteFile(file+".new", []byte(otherSecret), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(file+".new", 65532, 65532); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		n := 0
		eventually(t, "the new secret is good", func() bool {
			n++
			body := stripeEvent("evt_rotated" + strconv.Itoa(n))
			time.Sleep(100 * time.Millisecond)
			return send(t, w.here("http://127.0.0.1:8080/hooks/stripe"), stripetest.Header(time.Now(), []byte(body), otherSecret), body) == 200
		})
	})
}

// containersConf names limits that a machine without privileges of its own can set.
func containersConf(t *testing.T) string {
	t.Helper()
	text := "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n"
	if _, err := exec.LookPath("runc"); err == nil {
		text += "[engine]\nruntime = \"runc\"\n"
	}
	file := filepath.Join(t.TempDir(), "containers.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// buildStage does here what the first stage of the Containerfile does, and returns a folder
// with what the second one copies.
func buildStage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("container/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	run := regexp.MustCompile(`(?m)^RUN (.*) -o /hooknotary (.*)$`).FindSubmatch(text)
	if run == nil {
		t.Fatal("the Containerfile builds nothing")
	}
	stage := t.TempDir()
	cmd := exec.Command("bash", "-euc", string(run[1])+" -o "+stage+"/hooknotary "+string(run[2]))
	cmd.Dir = checkout(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	roots, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(stage+"/etc/ssl/certs", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stage+"/etc/ssl/certs/ca-certificates.crt", roots, 0o644); err != nil {
		t.Fatal(err)
	}
	return stage
}

// A manifest is what a test looks at of an object of Kubernetes.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []struct {
					Args  []string
					Ports []struct {
						Name          string
						ContainerPort int `yaml:"containerPort"`
					}
					ReadinessProbe probe `yaml:"readinessProbe"`
					LivenessProbe  probe `yaml:"livenessProbe"`
					VolumeMounts   []struct {
						Name      string
						MountPath string `yaml:"mountPath"`
						SubPath   string `yaml:"subPath"`
					} `yaml:"volumeMounts"`
				}
				Volumes []struct {
					Name      string
					ConfigMap struct{ Name string } `yaml:"configMap"`
					Secret    struct {
						SecretName string `yaml:"secretName"`
					}
				}
			}
		}
		PodSelector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"podSelector"`
		Ingress []struct{ Ports []struct{ Port any } }
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// TestRotation walks through the part of the index that runs, and looks after each of its
// steps which secrets are good.
func TestRotation(t *testing.T) {
	const oldSecret, newSecret = "the old secret of this hook", "the new secret of this hook"
	w := newWalk(t, "README.md", "8080", "3000")
	w.env = append(w.env, "OLD_SECRET="+oldSecret, "NEW_SECRET="+newSecret)
	receiver := &billing{unsigned: true}
	serveOn(t, w.here("3000"), receiver)
	url, n := "", 0
	try := func(secret string) int {
		n++
		body := fmt.Sprintf(`{"ref":"refs/heads/main","after":"%040d"}`, n)
		return send(t, url, githubtest.Header("push", []byte(body), secret), body)
	}
	settles := func(when string, old, next int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s the old secret is answered with %d and the new one with %d", when, old, next), func() bool {
			return try(oldSecret) == old && try(newSecret) == next
		})
	}
	steps := []func(){
		func() {},
		func() { settles("at the start", 200, 401) },
		func() { settles("after the first step", 200, 200) },
		func() { settles("after the last step", 401, 200) },
	}
	for _, b := range blocks(t, w.page) {
		w.do(b)
		if b.language != "sh" {
			continue
		}
		if len(steps) == 0 {
			t.Fatalf("%s:%d: nobody knows what this step does", w.page, b.line)
		}
		url = w.here("http://127.0.0.1:8080/hooks/github")
		steps[0]()
		steps = steps[1:]
	}
	if len(steps) > 0 {
		t.Errorf("the page has %d steps less than expected", len(steps))
	}
}

func TestKubernetes(t *testing.T) {
	need(t, "openssl")
	w := newWalk(t, "kubernetes.md")
	w.env = append(w.env, "STRIPE_WEBHOOK_SECRET="+stripeSecret, "DATABASE_URL=postgres://hooks:a-password-of-the-database@db.internal/hooks")
	w.special = map[string]func(block){"cluster": func(block) {}} // there is none
	w.run()

	text, err := os.ReadFile("kubernetes/hooknotary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	byKind := make(map[string][]manifest)
	for documents := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var m manifest
		if err := documents.Decode(&m); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		byKind[m.Kind] = append(byKind[m.Kind], m)
	}
	for kind, n := range map[string]int{"ConfigMap": 1, "Deployment": 1, "Service": 1, "PodDisruptionBudget": 1, "NetworkPolicy": 2} {
		if len(byKind[kind]) != n {
			t.Fatalf("there are %d objects %s, want %d", len(byKind[kind]), kind, n)
		}
	}

	// The pod's folders are made here.
	pod := byKind["Deployment"][0].Spec.Template.Spec
	container := pod.Containers[0]
	var paths []string
	for _, mount := range container.VolumeMounts {
		if mount.SubPath != "" {
			t.Errorf("%s is mounted as a single file, which never changes", mount.MountPath)
		}
		here := filepath.Join(w.dir, mount.MountPath)
		if err := os.MkdirAll(filepath.Dir(here), 0o700); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, mount.MountPath+"/", here+"/")
		for _, v := range pod.Volumes {
			switch {
			case v.Name != mount.Name:
			case v.Secret.SecretName != "":
				if err := os.Symlink(filepath.Join(w.dir, "secrets"), here); err != nil {
					t.Fatal(err)
				}
			case v.ConfigMap.Name == byKind["ConfigMap"][0].Metadata.Name:
				if err := os.Mkdir(here, 0o700); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	w.replace = paths
	for name, text := range byKind["ConfigMap"][0].Data {
		if err := os.WriteFile(w.here("/etc/hooknotary/config/"+name), []byte(w.here(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	if len(container.Args) < 3 || container.Args[0] != "serve" || !slices.Contains(container.Args, "--watch") {
		t.Fatalf("the container runs with %q", container.Args)
	}
	out, err := w.shell("hooknotary check --json --config " + w.here(container.Args[2])).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !json.Valid(out) {
		t.Errorf("check --json prints\n%s", out)
	}

	ports := make(map[string]string)
	for _, p := range container.Ports {
		ports[p.Name] = strconv.Itoa(p.ContainerPort)
	}
	file := byKind["ConfigMap"][0].Data["hooknotary.yaml"]
	var config struct {
		Listen, Admin struct{ Address string }
		Routes        []struct{ Upstream struct{ URL string } }
		Shutdown      struct{ Drain, Grace time.Duration }
	}
	if err := yaml.Unmarshal([]byte(file), &config); err != nil {
		t.Fatal(err)
	}
	if config.Listen.Address != ":"+ports["http"] || config.Admin.Address != ":"+ports["admin"] {
		t.Errorf("the gateway listens on %s and %s, and the ports are %v", config.Listen.Address, config.Admin.Address, ports)
	}
	if p := container.ReadinessProbe.HTTPGet; p.Path != "/readyz" || p.Port != "admin" {
		t.Errorf("the readiness probe asks %+v", p)
	}
	if p := container.LivenessProbe.HTTPGet; p.Path != "/livez" || p.Port != "admin" {
		t.Errorf("the liveness probe asks %+v", p)
	}
	if got, least := time.Duration(pod.TerminationGracePeriodSeconds)*time.Second, config.Shutdown.Drain+config.Shutdown.Grace; got != 45*time.Second || got <= least {
		t.Errorf("the pod has %v to end, and the gateway needs %v", got, least)
	}
	policies := byKind["NetworkPolicy"]
	receiver := policies[1]
	if _, port, _ := strings.Cut(strings.TrimPrefix(config.Routes[0].Upstream.URL, "http://"), ":"); receiver.Spec.PodSelector.MatchLabels["app"] != "shop" ||
		len(receiver.Spec.Ingress) != 1 || !strings.HasPrefix(port, strconv.Itoa(receiver.Spec.Ingress[0].Ports[0].Port.(int))+"/") {
		t.Errorf("the receiver's policy is %+v, and the gateway calls %s", receiver.Spec, config.Routes[0].Upstream.URL)
	}
	for key, value := range byKind["Deployment"][0].Spec.Template.Metadata.Labels {
		if policies[0].Spec.PodSelector.MatchLabels[key] != value {
			t.Errorf("the gateway's policy is not for its pods")
		}
	}
}
