// Package kubelet plays the kubelets of all nodes, and EC2 beside them: it makes a Node for each instance of a node group, keeps it ready,
// and lets the pods run that the scheduler puts there, without running anything.
package kubelet

import (
	"context"
	"errors"
	"maps"
	"net"
	"time"

	"github.com/spf13/cobra"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"groundwork.dev/tests/kubernetes/groups"
)

const (
	lookEvery      = 200 * time.Millisecond
	heartbeatEvery = 10 * time.Second
	version        = "v1.35.4"
)

type kubelet struct {
	client kubernetes.Interface
	groups groups.File
	port   int32
	pods   *pods
	// Since when an instance has been there: a node joins some time after its launch.
	launched map[string]time.Time
	joined   map[string]time.Time
	renewed  map[string]time.Time
}

// Command is `kubernetes kubelet`.
func Command() *cobra.Command {
	var kubeconfig, file string
	command := &cobra.Command{
		Use:   "kubelet",
		Short: "play the kubelets of the node groups' instances",
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			// One process speaks for many nodes.
			config.QPS, config.Burst = 500, 1000
			client, err := kubernetes.NewForConfig(config)
			if err != nil {
				return err
			}
			return run(command.Context(), client, groups.File(file))
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "an administrator's")
	command.Flags().StringVar(&file, "groups", "", "the node groups")
	return command
}

func run(ctx context.Context, client kubernetes.Interface, file groups.File) error {
	pods := newPods(client)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { klog.Fatal(pods.serveLogs(listener)) }()
	go pods.watch(ctx)
	k := &kubelet{
		client:   client,
		groups:   file,
		port:     int32(listener.Addr().(*net.TCPAddr).Port),
		pods:     pods,
		launched: map[string]time.Time{},
		joined:   map[string]time.Time{},
		renewed:  map[string]time.Time{},
	}
	for tick := time.Tick(lookEvery); ; <-tick {
		if err := k.look(ctx, time.Now()); err != nil {
			klog.ErrorS(err, "will look again")
		}
	}
}

// look makes the nodes what the groups say.
func (k *kubelet) look(ctx context.Context, now time.Time) error {
	all, err := k.groups.Read()
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	var failed []error
	for _, group := range all {
		for _, instance := range group.Instances() {
			wanted[instance.Name] = true
			failed = append(failed, k.keep(ctx, group, instance, now))
		}
	}
	return errors.Join(append(failed, k.forgetOthers(ctx, wanted))...)
}

// keep brings one node from its launch to readiness, and holds it there.
func (k *kubelet) keep(ctx context.Context, group groups.Group, instance groups.Instance, now time.Time) error {
	name := instance.Name
	if _, known := k.launched[name]; !known {
		k.launched[name] = now
	}
	if now.Before(k.launched[name].Add(seconds(group.BootSeconds))) {
		return nil
	}
	if _, known := k.joined[name]; !known {
		k.joined[name] = now
	}
	if now.Before(k.renewed[name].Add(heartbeatEvery)) && k.tellsGPUs(group, name, k.renewed[name]) == k.tellsGPUs(group, name, now) {
		return nil
	}
	node := group.Node(instance)
	if !k.tellsGPUs(group, name, now) {
		delete(node.Status.Capacity, groups.GPU)
		delete(node.Status.Allocatable, groups.GPU)
	}
	k.describe(node, now)
	if err := k.register(ctx, node); err != nil {
		return err
	}
	if err := k.renewLease(ctx, name, now); err != nil {
		return err
	}
	k.renewed[name] = now
	return nil
}

func (k *kubelet) tellsGPUs(group groups.Group, name string, now time.Time) bool {
	return !now.Before(k.joined[name].Add(seconds(group.GPUSeconds)))
}

func (k *kubelet) describe(node *corev1.Node, now time.Time) {
	node.Status.Conditions = []corev1.NodeCondition{{
		Type:               corev1.NodeReady,
		Status:             corev1.ConditionTrue,
		Reason:             "KubeletReady",
		LastHeartbeatTime:  metav1.NewTime(now),
		LastTransitionTime: metav1.NewTime(k.joined[node.Name]),
	}}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = k.port
	node.Status.NodeInfo = corev1.NodeSystemInfo{
		KubeletVersion:  version,
		OSImage:         "Bottlerocket OS (played)",
		OperatingSystem: "linux",
		Architecture:    node.Labels[corev1.LabelArchStable],
	}
}

// register gives the node its status, and makes it first if it is not there. What others have written on it since, such as taints, stays.
func (k *kubelet) register(ctx context.Context, node *corev1.Node) error {
	nodes := k.client.CoreV1().Nodes()
	there, err := nodes.Get(ctx, node.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		klog.InfoS("joins", "node", node.Name)
		there, err = nodes.Create(ctx, node, metav1.CreateOptions{})
	}
	if err != nil {
		return err
	}
	there.Status.Capacity = maps.Clone(node.Status.Capacity)
	there.Status.Allocatable = maps.Clone(node.Status.Allocatable)
	there.Status.Conditions = node.Status.Conditions
	there.Status.Addresses = node.Status.Addresses
	there.Status.DaemonEndpoints = node.Status.DaemonEndpoints
	there.Status.NodeInfo = node.Status.NodeInfo
	_, err = nodes.UpdateStatus(ctx, there, metav1.UpdateOptions{})
	return err
}

func (k *kubelet) renewLease(ctx context.Context, name string, now time.Time) error {
	leases := k.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	seconds := int32(40)
	renewed := coordinationv1.LeaseSpec{
		HolderIdentity:       &name,
		LeaseDurationSeconds: &seconds,
		RenewTime:            &metav1.MicroTime{Time: now},
	}
	lease, err := leases.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: renewed}
		_, err = leases.Create(ctx, lease, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	lease.Spec = renewed
	_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
	return err
}

// forgetOthers deletes the nodes whose instance has gone, as EKS does.
func (k *kubelet) forgetOthers(ctx context.Context, wanted map[string]bool) error {
	for name := range k.launched {
		if wanted[name] {
			continue
		}
		klog.InfoS("has gone", "node", name)
		if err := k.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		k.pods.forget(types.NodeName(name))
		delete(k.launched, name)
		delete(k.joined, name)
		delete(k.renewed, name)
	}
	return nil
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }
