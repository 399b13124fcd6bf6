package eks

import (
	"context"
	"errors"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"groundwork.dev/tests/kubernetes/groups"
)

// An inside is what EKS does within a cluster: access, drivers, nodes, and the autoscaler, which is none of EKS's but needs AWS as they do.
type inside struct {
	plane   *plane
	client  kubernetes.Interface
	objects objects
	types   catalog
	pod     pod
}

func newInside(p *plane, kubeconfig string) (*inside, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	aws := &aws{p.cloud, p.at.Region}
	return &inside{
		plane:   p,
		client:  client,
		objects: objects{client.RbacV1().RESTClient(), map[string]string{}},
		types:   catalog{aws, map[string]instanceType{}},
		pod:     pod{at: p.at, client: client, kubeconfig: kubeconfig, aws: aws, speed: p.speed},
	}, nil
}

func (i *inside) look(ctx context.Context) error {
	namespaces, err := i.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	names := []string{}
	for _, namespace := range namespaces.Items {
		names = append(names, namespace.Name)
	}
	slices.Sort(names)
	i.plane.setNamespaces(names)
	now, err := i.plane.now(ctx, 0)
	if err != nil {
		return err
	}
	return errors.Join(i.objects.look(ctx, now.Objects), i.keepNodes(ctx, now.Groups), i.pod.look(ctx))
}

// keepNodes tells the kubelets which nodes there are.
func (i *inside) keepNodes(ctx context.Context, all []nodegroup) error {
	var wanted []groups.Group
	for _, one := range all {
		kind, err := i.types.of(ctx, root(i.plane.at.Account), one.kind())
		if err != nil {
			return err
		}
		group := one.group(i.plane.at.Region, kind)
		group.BootSeconds /= i.plane.speed
		group.GPUSeconds /= i.plane.speed
		wanted = append(wanted, group)
	}
	return i.plane.groups.Write(wanted)
}
