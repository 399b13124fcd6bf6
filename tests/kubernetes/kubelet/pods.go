package kubelet

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

type pods struct {
	client  kubernetes.Interface
	lock    sync.Mutex
	running map[types.UID]*running
}

type running struct {
	node    types.NodeName
	script  script
	started time.Time
	ended   chan struct{}
}

func newPods(client kubernetes.Interface) *pods {
	return &pods{client: client, running: map[types.UID]*running{}}
}

func (p *pods) watch(ctx context.Context) {
	onNodes := informers.WithTweakListOptions(func(options *metav1.ListOptions) {
		options.FieldSelector = fields.OneTermNotEqualSelector("spec.nodeName", "").String()
	})
	factory := informers.NewSharedInformerFactoryWithOptions(p.client, 0, onNodes)
	seen := func(object any) {
		pod := object.(*corev1.Pod)
		if err := p.play(ctx, pod); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			klog.ErrorS(err, "pod", "pod", klog.KObj(pod))
		}
	}
	factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    seen,
		UpdateFunc: func(_, object any) { seen(object) },
		DeleteFunc: func(object any) {
			if pod, is := object.(*corev1.Pod); is {
				p.stop(pod.UID)
				p.lock.Lock()
				delete(p.running, pod.UID)
				p.lock.Unlock()
			}
		},
	})
	factory.Start(ctx.Done())
}

func (p *pods) play(ctx context.Context, pod *corev1.Pod) error {
	switch {
	case pod.DeletionTimestamp != nil:
		return p.finish(ctx, pod)
	case pod.Status.Phase == corev1.PodPending, pod.Status.Phase == corev1.PodRunning:
		return p.run(ctx, pod)
	default:
		return nil
	}
}

// run makes a pod Running, once, and ends it when its script does.
func (p *pods) run(ctx context.Context, pod *corev1.Pod) error {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.running[pod.UID] != nil {
		return nil
	}
	now := &running{node: types.NodeName(pod.Spec.NodeName), script: scriptOf(pod), started: time.Now(), ended: make(chan struct{})}
	p.running[pod.UID] = now
	if err := p.setStatus(ctx, pod, corev1.PodRunning, now); err != nil {
		delete(p.running, pod.UID)
		return err
	}
	if !now.script.ends {
		return nil
	}
	phase := corev1.PodSucceeded
	if now.script.code != 0 {
		phase = corev1.PodFailed
	}
	time.AfterFunc(now.script.lasts, func() {
		if !p.stop(pod.UID) {
			return
		}
		if err := p.setStatus(ctx, pod, phase, now); err != nil && !apierrors.IsNotFound(err) {
			klog.ErrorS(err, "pod", "pod", klog.KObj(pod))
		}
	})
	return nil
}

// finish lets a pod go that somebody has deleted. One that ran has failed by that, which its Job is to see.
func (p *pods) finish(ctx context.Context, pod *corev1.Pod) error {
	p.lock.Lock()
	now := p.running[pod.UID]
	p.lock.Unlock()
	if p.stop(pod.UID) {
		killed := *now
		killed.script.code = 143
		if err := p.setStatus(ctx, pod, corev1.PodFailed, &killed); err != nil {
			return err
		}
	}
	return p.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64),
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
}

// stop tells whether the pod was running until now.
func (p *pods) stop(id types.UID) bool {
	p.lock.Lock()
	defer p.lock.Unlock()
	now := p.running[id]
	return now != nil && now.end()
}

// forget is what happens to the pods of an instance that has gone: nothing is heard of them any more.
func (p *pods) forget(node types.NodeName) {
	p.lock.Lock()
	defer p.lock.Unlock()
	for _, now := range p.running {
		if now.node == node {
			now.end()
		}
	}
}

// end tells whether it was the first to end it.
func (r *running) end() bool {
	select {
	case <-r.ended:
		return false
	default:
		close(r.ended)
		return true
	}
}

func (p *pods) setStatus(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase, now *running) error {
	there, err := p.client.CoreV1().Pods(pod.Namespace).Get(ctx, pod.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if there.UID != pod.UID {
		return nil
	}
	describe(there, phase, now)
	_, err = p.client.CoreV1().Pods(pod.Namespace).UpdateStatus(ctx, there, metav1.UpdateOptions{})
	return err
}

func describe(pod *corev1.Pod, phase corev1.PodPhase, now *running) {
	ready := phase == corev1.PodRunning
	started := metav1.NewTime(now.started)
	pod.Status.Phase = phase
	pod.Status.HostIP = "127.0.0.1"
	pod.Status.PodIP = address(pod.UID)
	pod.Status.PodIPs = []corev1.PodIP{{IP: pod.Status.PodIP}}
	pod.Status.StartTime = &started
	conditions := []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: started}}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: started}
		if !ready && kind != corev1.PodInitialized {
			condition.Status, condition.Reason, condition.LastTransitionTime = corev1.ConditionFalse, "PodCompleted", metav1.Now()
		}
		conditions = append(conditions, condition)
	}
	pod.Status.Conditions = conditions
	pod.Status.ContainerStatuses = nil
	for _, container := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name:        container.Name,
			Image:       container.Image,
			ContainerID: "played://" + string(pod.UID) + "/" + container.Name,
			Ready:       ready,
			Started:     &ready,
			State:       state(ready, started, now.script.code),
		})
	}
}

func state(ready bool, started metav1.Time, code int32) corev1.ContainerState {
	if ready {
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
	}
	reason := "Completed"
	if code != 0 {
		reason = "Error"
	}
	return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Reason: reason, StartedAt: started, FinishedAt: metav1.Now(),
	}}
}

// address looks like one that the network plugin gives. Nobody answers there.
func address(id types.UID) string {
	hash := fnv.New32a()
	hash.Write([]byte(id))
	sum := hash.Sum32()
	return fmt.Sprintf("10.0.%d.%d", sum>>8&0xff, sum&0xff)
}
