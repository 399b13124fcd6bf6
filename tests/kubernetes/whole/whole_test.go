// Package whole tries a cluster from outside. It links nothing of Kubernetes, so its tests are built in no time.
package whole

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groundwork.dev/tests/kubernetes/groups"
)

// A cluster is one of the built binary, with an autoscaler in a hurry.
type cluster struct {
	t       *testing.T
	data    string
	groups  groups.File
	process *exec.Cmd
	stdin   io.Closer
}

func start(t *testing.T) *cluster {
	data := t.TempDir()
	binary := filepath.Join(data, "kubernetes")
	if output, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", binary, "..").CombinedOutput(); err != nil {
		t.Fatalf("%s", output)
	}
	c := &cluster{t: t, data: data, groups: groups.File(filepath.Join(data, "groups.json"))}
	text, err := os.ReadFile("testdata/groups.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(string(c.groups), text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.process = exec.Command(binary, "up", "--data", data, "--autoscaler-flag=--scan-interval=500ms",
		"--autoscaler-flag=--scale-down-unneeded-time=2s", "--autoscaler-flag=--scale-down-delay-after-add=1s",
		"--autoscaler-flag=--leader-elect-resource-name=groundwork-autoscaler",
		"--autoscaler-flag=--status-config-map-name=groundwork-autoscaler-status")
	c.process.Stderr = os.Stderr
	output, err := c.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.process.Process.Kill() })
	var ready struct{ Endpoint, CA string }
	if err := json.NewDecoder(output).Decode(&ready); err != nil {
		t.Fatal("not ready:", err)
	}
	if !strings.HasPrefix(ready.Endpoint, "https://127.0.0.1:") || ready.CA == "" {
		t.Fatal(ready)
	}
	return c
}

func (c *cluster) kubectl(arguments ...string) string {
	output, err := c.try(arguments...)
	if err != nil {
		c.t.Fatalf("kubectl %v: %s", arguments, output)
	}
	return output
}

func (c *cluster) try(arguments ...string) (string, error) {
	command := exec.Command("kubectl", append([]string{"--kubeconfig", filepath.Join(c.data, "admin.kubeconfig")}, arguments...)...)
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// eventually asks until the answer has what is wanted.
func (c *cluster) eventually(wanted string, arguments ...string) {
	c.t.Helper()
	var last string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if last, _ = c.try(arguments...); last == wanted || wanted != "" && strings.Contains(last, wanted) {
			return
		}
	}
	c.t.Fatalf("kubectl %v: %q, want %q", arguments, last, wanted)
}

func (c *cluster) run(namespace, job, group, command string) {
	template, err := os.ReadFile("testdata/job.yaml")
	if err != nil {
		c.t.Fatal(err)
	}
	text := strings.NewReplacer("JOB", job, "GROUP", group, "COMMAND", command).Replace(string(template))
	file := filepath.Join(c.data, job+".yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.kubectl("apply", "--namespace", namespace, "--filename", file)
}

func (c *cluster) nodeOf(namespace, job string) string {
	return c.kubectl("get", "pods", "--namespace", namespace, "--selector", "job-name="+job, "--output", "jsonpath={.items[0].spec.nodeName}")
}

func (c *cluster) events(namespace, reason string) []string {
	return []string{"get", "events", "--namespace", namespace, "--field-selector", "reason=" + reason, "--output", "jsonpath={.items[*].message}"}
}

func TestAClusterGrowsForAJobAndShrinksAfterIt(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a cluster")
	}
	c := start(t)
	c.eventually("True", "get", "node", "system-0", "--output", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)

	c.run("default", "train", "g4dn-xlarge", "echo hello; sleep 2")
	c.eventually("FailedScheduling", "get", "events")
	if all, err := c.groups.Read(); err != nil || all[1].Desired != 0 {
		t.Error("it grew before there was an autoscaler", all, err)
	}
	c.kubectl("apply", "--server-side", "--filename", "testdata/furniture.json")
	c.eventually("[{g4dn-xlarge 0->1 (max: 1)}]", c.events("default", "TriggeredScaleUp")...)
	c.eventually("Complete", "get", "job", "train", "--output", "jsonpath={.status.conditions[*].type}")
	if got := c.nodeOf("default", "train"); got != "g4dn-xlarge-0" {
		t.Error("ran on", got)
	}
	if got := c.kubectl("logs", "job/train"); got != "hello" {
		t.Error("printed", got)
	}
	c.eventually("system-0", "get", "nodes", "--output", "jsonpath={.items[*].metadata.name}")
	c.eventually("", "get", "nodes", "--selector", "eks.amazonaws.com/nodegroup=g4dn-xlarge", "--output", "name")

	t.Log("the autoscaler's own pod is on the system's node, and the storage class is the default")
	c.eventually("True", "get", "deployment", "cluster-autoscaler", "--namespace", "kube-system",
		"--output", `jsonpath={.status.conditions[?(@.type=="Available")].status}`)
	c.eventually("system-0", "get", "pods", "--namespace", "kube-system", "--selector", "app=cluster-autoscaler",
		"--output", "jsonpath={.items[*].spec.nodeName}")
	c.eventually("gp3 (default)", "get", "storageclass")

	t.Log("in the place to work, a job for another type gets that, and one that fails has failed")
	c.run("research", "other", "g5-xlarge", "exit 3")
	c.eventually("Failed", "get", "job", "other", "--namespace", "research", "--output", "jsonpath={.status.conditions[*].type}")
	if got := c.nodeOf("research", "other"); got != "g5-xlarge-0" {
		t.Error("ran on", got)
	}

	t.Log("a full group stops, and says so")
	c.run("research", "first", "g4dn-xlarge", "train for ever")
	c.run("research", "second", "g4dn-xlarge", "train for ever")
	c.eventually("1 max node group size reached", c.events("research", "NotTriggerScaleUp")...)

	t.Log("no pod there reaches into its node, and nothing is put on the internet")
	if told, err := c.try("run", "intruder", "--namespace", "research", "--image", "none", "--privileged"); err == nil || !strings.Contains(told, "violates PodSecurity") {
		t.Error("a privileged pod:", told)
	}
	if told, err := c.try("create", "service", "loadbalancer", "open", "--namespace", "research", "--tcp=80"); err == nil || !strings.Contains(told, "exceeded quota") {
		t.Error("a load balancer:", told)
	}

	c.stdin.Close()
	if err := c.process.Wait(); err != nil {
		t.Error("ended with", err)
	}
	if left := processesIn(c.data); left != "" {
		t.Error("still running:", left)
	}
}

// processesIn are those with the cluster's folder in their command line.
func processesIn(data string) string {
	var left []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		if text, err := os.ReadFile(line); err == nil && bytes.Contains(text, []byte(data)) {
			left = append(left, string(bytes.ReplaceAll(text, []byte{0}, []byte{' '})))
		}
	}
	return strings.Join(left, "\n")
}
