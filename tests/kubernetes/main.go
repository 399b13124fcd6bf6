// A Kubernetes cluster for tests: the real control plane, and stand-ins for what needs machines or AWS. It is one binary, and a process
// for each part.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"

	"groundwork.dev/tests/kubernetes/autoscaler"
	"groundwork.dev/tests/kubernetes/eks"
	"groundwork.dev/tests/kubernetes/kubelet"
	"groundwork.dev/tests/kubernetes/up"
)

// The parts of Kubernetes share one set of feature gates and of log flags in a process, so each is a process of its own.
var parts = map[string]func() *cobra.Command{
	"etcd":        etcd,
	"apiserver":   apiserver.NewAPIServerCommand,
	"controllers": controllers.NewControllerManagerCommand,
	"scheduler":   func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":     kubelet.Command,
	"autoscaler":  autoscaler.Command,
	"up":          up.Command,
	"eks":         eks.Command,
}

func main() {
	if len(os.Args) > 1 {
		if part, known := parts[os.Args[1]]; known {
			command := part()
			command.SetArgs(os.Args[2:])
			os.Exit(cli.Run(command))
		}
	}
	fmt.Fprintln(os.Stderr, "usage: kubernetes etcd|apiserver|controllers|scheduler|kubelet|autoscaler|up|eks …")
	os.Exit(2)
}
