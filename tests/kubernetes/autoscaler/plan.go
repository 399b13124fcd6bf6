package autoscaler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"groundwork.dev/tests/kubernetes/groups"
)

const (
	// With this label on a node, the autoscaler knows that its GPUs are still to come.
	gpuLabel    = "k8s.amazonaws.com/accelerator"
	safeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict"
	toBeDeleted = "ToBeDeletedByClusterAutoscaler"
	maxedOut    = "max node group size reached"
)

// A world is what the autoscaler sees in one look.
type world struct {
	groups []groups.Group
	nodes  []*corev1.Node
	pods   []*corev1.Pod
	// The last node that each group was seen to have. It says more than the template of an empty group.
	examples map[string]*corev1.Node
}

// A growth is the one change of a look: a group, its new size, and the pods that it is for.
type growth struct {
	group groups.Group
	size  int
	pods  []*corev1.Pod
}

func (g growth) String() string {
	return fmt.Sprintf("[{%s %d->%d (max: %d)}]", g.group.Name, g.group.Desired, g.size, g.group.Max)
}

// grow says which group should get nodes, or for each pod that waits why none does.
func (w world) grow() (*growth, map[*corev1.Pod]string) {
	waiting := place(w.unschedulable(), w.present())
	if len(waiting) == 0 {
		return nil, nil
	}
	reasons := map[*corev1.Pod]map[string]int{}
	for _, pod := range waiting {
		reasons[pod] = map[string]int{}
	}
	var options []option
	for _, group := range w.groups {
		if group.Desired >= group.Max {
			for _, pod := range waiting {
				reasons[pod][maxedOut]++
			}
			continue
		}
		template := w.template(group)
		var fitting []*corev1.Pod
		for _, pod := range waiting {
			refused := refusals(pod, withPods(template))
			for _, reason := range refused {
				reasons[pod][reason]++
			}
			if len(refused) == 0 {
				fitting = append(fitting, pod)
			}
		}
		if len(fitting) > 0 {
			options = append(options, newOption(group, template, fitting))
		}
	}
	if len(options) == 0 {
		return nil, messages(reasons)
	}
	best := leastWaste(options)
	return &growth{best.group, min(best.group.Desired+best.count, best.group.Max), best.pods}, nil
}

// unschedulable pods are those that the scheduler has given up on for now; of those that it has not tried yet nothing is known.
func (w world) unschedulable() []*corev1.Pod {
	var waiting []*corev1.Pod
	for _, pod := range w.pods {
		givenUp := slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
			return condition.Type == corev1.PodScheduled && condition.Reason == corev1.PodReasonUnschedulable
		})
		if givenUp && pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil && !ofDaemonSet(pod) {
			waiting = append(waiting, pod)
		}
	}
	return waiting
}

// present are the nodes that are ready, with their pods, and those on their way as they will be.
func (w world) present() []*framework.NodeInfo {
	var all []*framework.NodeInfo
	there := map[string]int{}
	for _, node := range w.nodes {
		if !ready(node) || waitsForGPUs(node) {
			continue
		}
		there[node.Labels[groups.NodegroupLabel]]++
		all = append(all, withPods(node, w.podsOn(node.Name)...))
	}
	for _, group := range w.groups {
		for range group.Desired - there[group.Name] {
			all = append(all, withPods(w.template(group)))
		}
	}
	return all
}

func waitsForGPUs(node *corev1.Node) bool {
	_, labelled := node.Labels[gpuLabel]
	gpus := node.Status.Allocatable[groups.GPU]
	return labelled && gpus.IsZero()
}

func (w world) template(group groups.Group) *corev1.Node {
	example, seen := w.examples[group.Name]
	if !seen {
		return group.Template()
	}
	template := example.DeepCopy()
	template.Name = "template-node-for-" + group.Name
	template.Labels[corev1.LabelHostname] = template.Name
	template.Spec.Unschedulable = false
	template.Spec.Taints = slices.DeleteFunc(template.Spec.Taints, func(taint corev1.Taint) bool {
		return taint.Key == toBeDeleted || strings.HasPrefix(taint.Key, "node.kubernetes.io/")
	})
	return template
}

func (w world) podsOn(node string) []*corev1.Pod {
	var on []*corev1.Pod
	for _, pod := range w.pods {
		if pod.Spec.NodeName == node && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
			on = append(on, pod)
		}
	}
	return on
}

// An option is one group that would help, with as many nodes as its pods need.
type option struct {
	group    groups.Group
	template *corev1.Node
	pods     []*corev1.Pod
	count    int
}

func newOption(group groups.Group, template *corev1.Node, pods []*corev1.Pod) option {
	count := 0
	for left := pods; len(left) > 0; count++ {
		left = place(left, []*framework.NodeInfo{withPods(template)})
	}
	return option{group, template, pods, count}
}

// leastWaste takes the option whose new nodes have the smallest share of CPU and memory to spare. The autoscaler draws lots among equals;
// here the first wins, so that a test is the same each time.
func leastWaste(options []option) option {
	return slices.MinFunc(options, func(a, b option) int {
		switch difference := a.waste() - b.waste(); {
		case difference < 0:
			return -1
		case difference > 0:
			return 1
		default:
			return 0
		}
	})
}

func (o option) waste() float64 {
	requested := withPods(o.template, o.pods...).GetRequested()
	cpu := float64(o.template.Status.Capacity.Cpu().MilliValue() * int64(o.count))
	memory := float64(o.template.Status.Capacity.Memory().Value() * int64(o.count))
	return (cpu-float64(requested.GetMilliCPU()))/cpu + (memory-float64(requested.GetMemory()))/memory
}

func messages(reasons map[*corev1.Pod]map[string]int) map[*corev1.Pod]string {
	texts := map[*corev1.Pod]string{}
	for pod, counts := range reasons {
		var parts []string
		for _, reason := range slices.Sorted(maps.Keys(counts)) {
			parts = append(parts, fmt.Sprintf("%d %s", counts[reason], reason))
		}
		texts[pod] = strings.Join(parts, ", ")
	}
	return texts
}

// unneeded are the nodes that could go now, if they have been so for long enough. The groups' minimum is kept for all of them together.
func (w world) unneeded(threshold float64) []*corev1.Node {
	spare := map[string]int{}
	for _, group := range w.groups {
		spare[group.Name] = group.Desired - group.Min
	}
	var can []*corev1.Node
	for _, node := range w.nodes {
		group := node.Labels[groups.NodegroupLabel]
		if spare[group] > 0 && ready(node) && !waitsForGPUs(node) && w.canGo(node, threshold) {
			can = append(can, node)
			spare[group]--
		}
	}
	return can
}

// canGo is whether little is on a node, and all of it may move and has somewhere to go that is there now.
func (w world) canGo(node *corev1.Node, threshold float64) bool {
	on := w.podsOn(node.Name)
	if utilization(withPods(node, on...)) >= threshold {
		return false
	}
	moving := slices.DeleteFunc(on, ofDaemonSet)
	for _, pod := range moving {
		if pod.Annotations[safeToEvict] == "false" || metav1.GetControllerOf(pod) == nil && pod.Annotations[safeToEvict] != "true" {
			return false
		}
	}
	var others []*framework.NodeInfo
	for _, other := range w.nodes {
		if other.Name != node.Name && ready(other) {
			others = append(others, withPods(other, w.podsOn(other.Name)...))
		}
	}
	unbound := make([]*corev1.Pod, len(moving))
	for at, pod := range moving {
		unbound[at] = pod.DeepCopy()
		unbound[at].Spec.NodeName = ""
	}
	return len(place(unbound, others)) == 0
}
