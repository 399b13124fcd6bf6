package autoscaler

import (
	"context"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"

	"groundwork.dev/tests/kubernetes/groups"
)

// A view keeps a copy of everything that the real autoscaler of 1.35 watches, also of what this one has no use for. If its account may not
// list one kind, then neither of them ever does anything, while its pod is healthy.
type view struct {
	factory  informers.SharedInformerFactory
	examples map[string]*corev1.Node
}

func newView(ctx context.Context, client kubernetes.Interface) *view {
	factory := informers.NewSharedInformerFactory(client, 0)
	core, apps, storage, devices := factory.Core().V1(), factory.Apps().V1(), factory.Storage().V1(), factory.Resource().V1()
	core.Namespaces().Informer()
	core.Nodes().Informer()
	core.Pods().Informer()
	core.Services().Informer()
	core.ReplicationControllers().Informer()
	core.PersistentVolumes().Informer()
	core.PersistentVolumeClaims().Informer()
	apps.DaemonSets().Informer()
	apps.ReplicaSets().Informer()
	apps.StatefulSets().Informer()
	factory.Batch().V1().Jobs().Informer()
	factory.Policy().V1().PodDisruptionBudgets().Informer()
	storage.StorageClasses().Informer()
	storage.CSINodes().Informer()
	storage.CSIDrivers().Informer()
	storage.CSIStorageCapacities().Informer()
	storage.VolumeAttachments().Informer()
	devices.DeviceClasses().Informer()
	devices.ResourceClaims().Informer()
	devices.ResourceSlices().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	return &view{factory, map[string]*corev1.Node{}}
}

func (v *view) look(cloud Cloud) (world, error) {
	all, err := cloud.Groups()
	if err != nil {
		return world{}, err
	}
	nodes, err := v.factory.Core().V1().Nodes().Lister().List(labels.Everything())
	if err != nil {
		return world{}, err
	}
	pods, err := v.factory.Core().V1().Pods().Lister().List(labels.Everything())
	if err != nil {
		return world{}, err
	}
	slices.SortFunc(nodes, func(a, b *corev1.Node) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	for _, node := range nodes {
		if ready(node) && !waitsForGPUs(node) {
			v.examples[node.Labels[groups.NodegroupLabel]] = node
		}
	}
	return world{all, nodes, pods, maps.Clone(v.examples)}, nil
}
