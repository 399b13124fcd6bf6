package eks

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apitypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/klog/v2"

	"groundwork.dev/tests/kubernetes/autoscaler"
)

const (
	autoscalerName = "cluster-autoscaler"
	// As of a kubelet before the second start; of AWS's time.
	backOff      = 10 * time.Second
	shortBackOff = time.Second
	// The SDK's last resort would be the node's role, and nodes of Groundwork's let no pod have that.
	noCredentials = "Failed to create AWS Manager: operation error Auto Scaling: DescribeAutoScalingGroups, get identity: get credentials: " +
		"failed to refresh cached credentials, no EC2 IMDS role found"
)

// A pod is that of the Cluster Autoscaler's Deployment, if it runs. As long as it does, the autoscaler is played, with the pod's flags and
// the credentials that EKS gives it.
type pod struct {
	at         place
	client     kubernetes.Interface
	kubeconfig string
	aws        *aws
	speed      float64

	plays apitypes.UID
	stop  context.CancelFunc
}

func (p *pod) look(ctx context.Context) error {
	pods, err := p.client.CoreV1().Pods(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(pods.Items, func(pod corev1.Pod) bool {
		return pod.Spec.ServiceAccountName == autoscalerName && pod.Status.Phase == corev1.PodRunning && pod.DeletionTimestamp == nil
	})
	if at < 0 {
		p.end()
		return nil
	}
	if found := &pods.Items[at]; found.UID != p.plays {
		p.end()
		p.begin(ctx, found)
	}
	return nil
}

func (p *pod) end() {
	if p.stop != nil {
		p.stop()
	}
	p.plays, p.stop = "", nil
}

// begin plays the autoscaler in a new pod, if that was admitted with credentials.
func (p *pod) begin(ctx context.Context, found *corev1.Pod) {
	ctx, p.stop = context.WithCancel(ctx)
	p.plays = found.UID
	if !hasCredentials(found) {
		p.crash(ctx, found, noCredentials)
		return
	}
	go p.play(ctx, found, &podIdentity{at: p.at, client: p.client, aws: p.aws, pod: found})
}

// play starts it again and again, as a kubelet does with what fails.
func (p *pod) play(ctx context.Context, found *corev1.Pod, identity *podIdentity) {
	flags := found.Spec.Containers[0].Args
	options, err := autoscaler.OptionsIn(flags)
	if err != nil {
		p.crash(ctx, found, err.Error())
		return
	}
	for restarts := int32(0); ctx.Err() == nil; restarts++ {
		cloud := &scaling{ctx, p.aws, identity, searchesIn(flags), catalog{p.aws, map[string]instanceType{}}, map[string]nodegroup{}}
		if err := p.run(ctx, found, restarts, options.Faster(p.speed), cloud); ctx.Err() == nil {
			p.crash(ctx, found, err.Error())
		}
		select {
		case <-ctx.Done():
		case <-time.After(max(time.Duration(float64(backOff)/p.speed), shortBackOff)):
		}
	}
}

// run asks for its groups first, as the real one does before anything else.
func (p *pod) run(ctx context.Context, found *corev1.Pod, restarts int32, options autoscaler.Options, cloud *scaling) error {
	if _, err := cloud.Groups(); err != nil {
		return err
	}
	if restarts > 0 {
		p.show(ctx, found, func(container *corev1.ContainerStatus) {
			container.Ready, container.RestartCount = true, restarts
			container.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}}
		})
	}
	return options.Run(ctx, p.kubeconfig, cloud)
}

func (p *pod) crash(ctx context.Context, found *corev1.Pod, message string) {
	p.show(ctx, found, func(container *corev1.ContainerStatus) {
		container.Ready = false
		container.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: "back-off restarting failed container",
		}}
		container.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 255, Reason: "Error", Message: message, FinishedAt: metav1.Now(),
		}}
	})
}

// show makes the pod's status what its only container is.
func (p *pod) show(ctx context.Context, found *corev1.Pod, change func(*corev1.ContainerStatus)) {
	there, err := p.client.CoreV1().Pods(found.Namespace).Get(ctx, found.Name, metav1.GetOptions{})
	if err == nil && there.UID == found.UID && len(there.Status.ContainerStatuses) > 0 {
		container := &there.Status.ContainerStatuses[0]
		change(container)
		for at := range there.Status.Conditions {
			if condition := &there.Status.Conditions[at]; condition.Type == corev1.PodReady || condition.Type == corev1.ContainersReady {
				condition.Status = corev1.ConditionFalse
				if container.Ready {
					condition.Status = corev1.ConditionTrue
				}
			}
		}
		_, err = p.client.CoreV1().Pods(found.Namespace).UpdateStatus(ctx, there, metav1.UpdateOptions{})
	}
	if err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) {
		klog.ErrorS(err, "the pod's status", "pod", klog.KObj(found))
	}
}
