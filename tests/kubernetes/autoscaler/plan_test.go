package autoscaler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"groundwork.dev/tests/kubernetes/groups"
)

const accelerator = "g4dn-xlarge"

func group(name string, desired, most int, change ...func(*groups.Group)) groups.Group {
	made := groups.Group{
		Name: name, Desired: desired, Max: most, CPU: resource.MustParse("4"), Memory: resource.MustParse("16Gi"), Zones: []string{"us-west-2a"},
	}
	for _, each := range change {
		each(&made)
	}
	return made
}

func withGPU(g *groups.Group) {
	g.GPUs = 1
	g.Labels = map[string]string{gpuLabel: "nvidia-t4"}
	g.Taints = []corev1.Taint{{Key: string(groups.GPU), Value: "true", Effect: corev1.TaintEffectNoSchedule}}
}

func larger(g *groups.Group) {
	g.CPU, g.Memory = resource.MustParse("8"), resource.MustParse("32Gi")
}

func node(g groups.Group, name string, change ...func(*corev1.Node)) *corev1.Node {
	made := g.Node(groups.Instance{Name: name, Zone: g.Zones[0]})
	made.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	for _, each := range change {
		each(made)
	}
	return made
}

func withoutGPUYet(node *corev1.Node) { delete(node.Status.Allocatable, groups.GPU) }
func unlabelled(node *corev1.Node)    { delete(node.Labels, gpuLabel) }

// pod waits for a node, until a change puts it on one.
func pod(cpu string, change ...func(*corev1.Pod)) *corev1.Pod {
	made := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{{Kind: "Job", Controller: new(bool)}}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)},
		}}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		}}},
	}
	*made.OwnerReferences[0].Controller = true
	for _, each := range change {
		each(made)
	}
	return made
}

func requesting(name corev1.ResourceName, quantity string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.Containers[0].Resources.Requests[name] = resource.MustParse(quantity) }
}

func forGPU(pod *corev1.Pod) {
	requesting(groups.GPU, "1")(pod)
	pod.Spec.Tolerations = []corev1.Toleration{{Key: string(groups.GPU), Operator: corev1.TolerationOpExists}}
}

func selecting(group string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.NodeSelector = map[string]string{groups.NodegroupLabel: group} }
}

func on(node string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.Spec.NodeName, pod.Status.Phase = node, corev1.PodRunning }
}

func owned(kind string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { pod.OwnerReferences[0].Kind = kind }
}

func orphaned(pod *corev1.Pod)   { pod.OwnerReferences = nil }
func notToEvict(pod *corev1.Pod) { pod.Annotations = map[string]string{safeToEvict: "false"} }

func TestAGroupGrowsForPodsThatItWouldTakeOrTheySayWhyNot(t *testing.T) {
	system, gpu := group("system", 1, 3), group(accelerator, 0, 2, withGPU)
	with := func(g groups.Group, desired int) groups.Group { g.Desired = desired; return g }
	tagged := func(g *groups.Group) {
		g.Tags = map[string]string{"k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage": "70Gi"}
	}
	full := pod("3", on("system-0"))
	for _, row := range []struct {
		reason string
		world  world
		grown  string
		says   string
	}{
		{
			"an empty group of the right kind, and not the one without GPUs",
			world{groups: []groups.Group{system, gpu}, pods: []*corev1.Pod{pod("1", forGPU)}}, "[{g4dn-xlarge 0->1 (max: 2)}]", "",
		},
		{
			"two pods with a GPU each need two nodes",
			world{groups: []groups.Group{gpu}, pods: []*corev1.Pod{pod("1", forGPU), pod("1", forGPU)}}, "[{g4dn-xlarge 0->2 (max: 2)}]", "",
		},
		{
			"three get the two that there may be",
			world{groups: []groups.Group{gpu}, pods: []*corev1.Pod{pod("1", forGPU), pod("1", forGPU), pod("1", forGPU)}},
			"[{g4dn-xlarge 0->2 (max: 2)}]", "",
		},
		{
			"a node on its way is counted on",
			world{groups: []groups.Group{with(gpu, 1)}, pods: []*corev1.Pod{pod("1", forGPU)}}, "", "",
		},
		{
			"one whose GPUs are still to come too, by its label",
			world{
				groups: []groups.Group{with(gpu, 1)}, nodes: []*corev1.Node{node(gpu, "g4dn-xlarge-0", withoutGPUYet)},
				pods: []*corev1.Pod{pod("1", forGPU)},
			}, "", "",
		},
		{
			"without the label it is taken for one without GPUs, and another is asked for",
			world{
				groups: []groups.Group{with(gpu, 1)}, nodes: []*corev1.Node{node(gpu, "g4dn-xlarge-0", withoutGPUYet, unlabelled)},
				pods: []*corev1.Pod{pod("1", forGPU)},
			}, "[{g4dn-xlarge 1->2 (max: 2)}]", "",
		},
		{
			"a group at its maximum says so",
			world{groups: []groups.Group{with(gpu, 2)}, pods: []*corev1.Pod{pod("1", forGPU), pod("1", forGPU), pod("1", forGPU)}},
			"", "1 max node group size reached",
		},
		{
			"a taint keeps a pod away that does not tolerate it",
			world{groups: []groups.Group{gpu}, pods: []*corev1.Pod{pod("1", requesting(groups.GPU, "1"))}},
			"", "1 node(s) had untolerated taint(s)",
		},
		{
			"a selector of another group is for that group alone",
			world{groups: []groups.Group{gpu, group("g5-xlarge", 0, 2, withGPU)}, pods: []*corev1.Pod{pod("1", forGPU, selecting("g5-xlarge"))}},
			"[{g5-xlarge 0->1 (max: 2)}]", "",
		},
		{
			"a selector of no group",
			world{groups: []groups.Group{gpu}, pods: []*corev1.Pod{pod("1", forGPU, selecting("p5"))}},
			"", "1 node(s) didn't match Pod's node affinity/selector",
		},
		{
			"what is too large for one node waits for ever",
			world{groups: []groups.Group{system}, pods: []*corev1.Pod{full, pod("5")}}, "", "1 Insufficient cpu",
		},
		{
			"a disk is not known of an empty group",
			world{groups: []groups.Group{gpu}, pods: []*corev1.Pod{pod("1", forGPU, requesting(corev1.ResourceEphemeralStorage, "50Gi"))}},
			"", "1 Insufficient ephemeral-storage",
		},
		{
			"with the tag it is",
			world{
				groups: []groups.Group{group(accelerator, 0, 2, withGPU, tagged)},
				pods:   []*corev1.Pod{pod("1", forGPU, requesting(corev1.ResourceEphemeralStorage, "50Gi"))},
			}, "[{g4dn-xlarge 0->1 (max: 2)}]", "",
		},
		{
			"of two groups the one that wastes less",
			world{groups: []groups.Group{group("large", 0, 2, larger), group("small", 0, 2)}, pods: []*corev1.Pod{pod("3")}},
			"[{small 0->1 (max: 2)}]", "",
		},
		{
			"pods of DaemonSets make no group grow",
			world{groups: []groups.Group{system}, pods: []*corev1.Pod{full, pod("3", owned("DaemonSet"))}}, "", "",
		},
	} {
		grown, says := row.world.grow()
		if grown == nil && row.grown != "" || grown != nil && grown.String() != row.grown {
			t.Errorf("%s: grows %v, want %q", row.reason, grown, row.grown)
		}
		if row.says == "" && len(says) > 0 {
			t.Errorf("%s: says %v", row.reason, says)
		}
		for _, message := range says {
			if message != row.says {
				t.Errorf("%s: says %q, want %q", row.reason, message, row.says)
			}
		}
		if row.says != "" && len(says) == 0 {
			t.Errorf("%s: says nothing", row.reason)
		}
	}
}

func TestANodeIsUnneededIfWhatIsOnItMayGoElsewhere(t *testing.T) {
	two := group("system", 2, 3)
	nodes := []*corev1.Node{node(two, "system-0"), node(two, "system-1")}
	least := func(most int) groups.Group { g := two; g.Min = most; return g }
	busy := pod("2500m", on("system-0"))
	for _, row := range []struct {
		reason string
		group  groups.Group
		pods   []*corev1.Pod
		want   int
	}{
		{"idle nodes", two, nil, 2},
		{"not below the minimum", least(1), nil, 1},
		{"none at the minimum", least(2), nil, 0},
		{"DaemonSets do not hold a node", two, []*corev1.Pod{busy, pod("100m", on("system-1"), owned("DaemonSet"))}, 1},
		{"a pod that fits elsewhere does not either", two, []*corev1.Pod{busy, pod("1", on("system-1"))}, 1},
		{"one that fits nowhere does", two, []*corev1.Pod{busy, pod("1500m", on("system-1"))}, 0},
		{"one that must not be evicted does", two, []*corev1.Pod{busy, pod("100m", on("system-1"), notToEvict)}, 0},
		{"one that nobody would replace does", two, []*corev1.Pod{busy, pod("100m", on("system-1"), orphaned)}, 0},
		{"a busy node stays", two, []*corev1.Pod{busy, pod("2", on("system-1"))}, 0},
	} {
		world := world{groups: []groups.Group{row.group}, nodes: nodes, pods: row.pods}
		if got := world.unneeded(0.5); len(got) != row.want {
			t.Errorf("%s: %d can go, want %d", row.reason, len(got), row.want)
		}
	}
}
