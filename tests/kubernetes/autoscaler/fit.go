package autoscaler

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler"
	"k8s.io/kubernetes/pkg/scheduler/framework"

	"groundwork.dev/tests/kubernetes/groups"
)

// refusals are the scheduler's reasons, by its own code, why a pod cannot be on a node: none means that it can.
func refusals(pod *corev1.Pod, node *framework.NodeInfo) []string {
	var reasons []string
	for _, refusal := range scheduler.AdmissionCheck(pod, node, true) {
		if refusal.InsufficientResource != nil {
			reasons = append(reasons, refusal.InsufficientResource.Reason)
		} else {
			reasons = append(reasons, refusal.Reason)
		}
	}
	taints, tolerations := node.Node().Spec.Taints, pod.Spec.Tolerations
	if _, untolerated := corev1helpers.FindMatchingUntoleratedTaint(klog.Background(), taints, tolerations, keepsAway, false); untolerated {
		reasons = append(reasons, "node(s) had untolerated taint(s)")
	}
	if node.Node().Spec.Unschedulable {
		reasons = append(reasons, "node(s) were unschedulable")
	}
	return reasons
}

func keepsAway(taint *corev1.Taint) bool {
	return taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
}

func withPods(node *corev1.Node, pods ...*corev1.Pod) *framework.NodeInfo {
	info := framework.NewNodeInfo(pods...)
	info.SetNode(node)
	return info
}

// place puts pods on the first node that takes them, and tells which found none.
func place(pods []*corev1.Pod, nodes []*framework.NodeInfo) (left []*corev1.Pod) {
	for _, pod := range pods {
		at := slices.IndexFunc(nodes, func(node *framework.NodeInfo) bool { return len(refusals(pod, node)) == 0 })
		if at < 0 {
			left = append(left, pod)
		} else {
			nodes[at].AddPod(pod)
		}
	}
	return left
}

// utilization is the largest share that is requested of a node, and with GPUs the share of these alone. What DaemonSets request counts.
func utilization(node *framework.NodeInfo) float64 {
	has, requested := node.GetAllocatable(), node.GetRequested()
	if gpus := has.GetScalarResources()[groups.GPU]; gpus > 0 {
		return float64(requested.GetScalarResources()[groups.GPU]) / float64(gpus)
	}
	return max(
		float64(requested.GetMilliCPU())/float64(has.GetMilliCPU()),
		float64(requested.GetMemory())/float64(has.GetMemory()),
	)
}

func ofDaemonSet(pod *corev1.Pod) bool {
	owner := metav1.GetControllerOf(pod)
	return owner != nil && owner.Kind == "DaemonSet"
}

// ready is what the node says, and what the controllers have heard of it.
func ready(node *corev1.Node) bool {
	if slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == corev1.TaintNodeNotReady }) {
		return false
	}
	return slices.ContainsFunc(node.Status.Conditions, func(condition corev1.NodeCondition) bool {
		return condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue
	})
}
