package groups

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	GPU = corev1.ResourceName("nvidia.com/gpu")
	// NodegroupLabel is put by EKS on every node of a managed group.
	NodegroupLabel = "eks.amazonaws.com/nodegroup"

	// The autoscaler learns from such a tag what the instance type does not say.
	resourceTag     = "k8s.io/cluster-autoscaler/node-template/resources/"
	podsByDefault   = 110
	memoryForPod    = 11 << 20
	memoryForSystem = 255 << 20
	memoryToEvictAt = 100 << 20
)

// Node is the one that a kubelet on an instance of the group registers.
func (g Group) Node(instance Instance) *corev1.Node {
	node := g.node(instance.Name, instance.Zone)
	node.Spec.ProviderID = fmt.Sprintf("aws:///%s/%s", instance.Zone, instance.ID)
	if !g.EphemeralStorage.IsZero() {
		node.Status.Capacity[corev1.ResourceEphemeralStorage] = g.EphemeralStorage
	}
	node.Status.Allocatable = maps.Clone(node.Status.Capacity)
	cpu := g.CPU.MilliValue() - cpuForSystem(g.CPU.Value())
	node.Status.Allocatable[corev1.ResourceCPU] = *resource.NewMilliQuantity(cpu, resource.DecimalSI)
	reserved := memoryForPod*g.pods() + memoryForSystem + memoryToEvictAt
	node.Status.Allocatable[corev1.ResourceMemory] = *resource.NewQuantity(g.Memory.Value()-reserved, resource.BinarySI)
	return node
}

// Template is the node that the autoscaler imagines while the group has none: from the instance type, the first zone, and what EKS says of
// the group. It knows neither what a node keeps for itself nor its disk, unless a tag tells the disk's size.
func (g Group) Template() *corev1.Node {
	node := g.node("template-node-for-"+g.Name, g.Zones[0])
	for key, value := range g.Tags {
		if name, is := strings.CutPrefix(key, resourceTag); is {
			if quantity, err := resource.ParseQuantity(value); err == nil {
				node.Status.Capacity[corev1.ResourceName(name)] = quantity
			}
		}
	}
	node.Status.Allocatable = maps.Clone(node.Status.Capacity)
	return node
}

func (g Group) node(name, zone string) *corev1.Node {
	labels := map[string]string{
		corev1.LabelHostname:           name,
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         cmp.Or(g.Architecture, "amd64"),
		corev1.LabelInstanceTypeStable: g.InstanceType,
		corev1.LabelTopologyZone:       zone,
		corev1.LabelTopologyRegion:     strings.TrimRight(zone, "abcdef"),
		NodegroupLabel:                 g.Name,
	}
	maps.Copy(labels, g.Labels)
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    g.CPU,
		corev1.ResourceMemory: g.Memory,
		corev1.ResourcePods:   *resource.NewQuantity(g.pods(), resource.DecimalSI),
	}
	if g.GPUs > 0 {
		capacity[GPU] = *resource.NewQuantity(g.GPUs, resource.DecimalSI)
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.NodeSpec{Taints: append([]corev1.Taint(nil), g.Taints...)},
		Status:     corev1.NodeStatus{Capacity: capacity},
	}
}

func (g Group) pods() int64 {
	if g.Pods == 0 {
		return podsByDefault
	}
	return g.Pods
}

// EKS's nodes keep 6 % of the first core for themselves, 1 % of the second, 0.5 % of the next two and 0.25 % of each further one.
func cpuForSystem(cores int64) int64 {
	quarters := int64(0)
	for core := range cores {
		switch {
		case core == 0:
			quarters += 240
		case core == 1:
			quarters += 40
		case core < 4:
			quarters += 20
		default:
			quarters += 10
		}
	}
	return quarters / 4
}

func instanceID(name string) string {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	return fmt.Sprintf("i-0%016x", hash.Sum64())
}
