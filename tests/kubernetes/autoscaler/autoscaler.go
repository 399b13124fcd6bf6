// Package autoscaler plays the Cluster Autoscaler: its documented rules, with the rights of its account in the cluster.
package autoscaler

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"groundwork.dev/tests/kubernetes/groups"
)

const (
	name      = "cluster-autoscaler"
	namespace = metav1.NamespaceSystem
	// However fast a world is: this machine is not.
	quickestScan = 500 * time.Millisecond
)

// A Cloud has the groups. What changes them is Auto Scaling's SetDesiredCapacity and TerminateInstanceInAutoScalingGroup.
type Cloud interface {
	Groups() ([]groups.Group, error)
	Resize(group string, desired int) error
	Terminate(node *corev1.Node) error
}

type local struct{ groups.File }

func (l local) Groups() ([]groups.Group, error) { return l.Read() }

func (l local) Terminate(node *corev1.Node) error {
	return l.File.Terminate(node.Labels[groups.NodegroupLabel], node.Name)
}

// Options are flags of the real one, by its names and with its defaults.
type Options struct {
	scanInterval, unneededTime, delayAfterAdd time.Duration
	utilization                               float64
	lease, status                             string
}

// OptionsIn reads those flags and passes over all others.
func OptionsIn(arguments []string) (Options, error) {
	var o Options
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.ParseErrorsWhitelist.UnknownFlags = true
	o.add(flags)
	return o, flags.Parse(arguments)
}

// Faster is for a world in which so many seconds pass in one.
func (o Options) Faster(speed float64) Options {
	for _, duration := range []*time.Duration{&o.scanInterval, &o.unneededTime, &o.delayAfterAdd} {
		*duration = time.Duration(float64(*duration) / speed)
	}
	o.scanInterval = max(o.scanInterval, quickestScan)
	return o
}

func (o *Options) add(flags *pflag.FlagSet) {
	flags.DurationVar(&o.scanInterval, "scan-interval", 10*time.Second, "how often it looks")
	flags.DurationVar(&o.unneededTime, "scale-down-unneeded-time", 10*time.Minute, "how long a node has to be unneeded before it goes")
	flags.DurationVar(&o.delayAfterAdd, "scale-down-delay-after-add", 10*time.Minute, "how long after a growth no node goes")
	flags.StringVar(&o.lease, "leader-elect-resource-name", name, "the lease of whoever of several is at work")
	flags.StringVar(&o.status, "status-config-map-name", "cluster-autoscaler-status", "where it tells how it is")
	flags.Float64Var(&o.utilization, "scale-down-utilization-threshold", 0.5, "a node of which less is requested may be unneeded")
}

type autoscaler struct {
	Options
	cloud    Cloud
	client   kubernetes.Interface
	view     *view
	events   record.EventRecorder
	grewAt   time.Time
	unneeded map[string]time.Time
}

// Command is `kubernetes autoscaler`.
func Command() *cobra.Command {
	var o Options
	var kubeconfig, file string
	command := &cobra.Command{
		Use:   "autoscaler",
		Short: "play the Cluster Autoscaler, as soon as its account is there",
		RunE: func(command *cobra.Command, _ []string) error {
			return o.Run(command.Context(), kubeconfig, local{groups.File(file)})
		},
	}
	flags := command.Flags()
	flags.StringVar(&kubeconfig, "kubeconfig", "", "an administrator's, for nothing but a token of the autoscaler's account")
	flags.StringVar(&file, "groups", "", "the node groups")
	o.add(flags)
	return command
}

// Run plays it until the context ends, or until it fails as the real one does.
func (o Options) Run(ctx context.Context, kubeconfig string, cloud Cloud) error {
	config, err := asAccount(ctx, kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	a := &autoscaler{
		Options:  o,
		cloud:    cloud,
		client:   client,
		events:   broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: name}),
		unneeded: map[string]time.Time{},
	}
	return a.lead(ctx)
}

// asAccount gives the rights of the autoscaler's account and no others, with the kind of token that its pod would have.
func asAccount(ctx context.Context, kubeconfig string) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	admin, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	day := int64(24 * 60 * 60)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &day}}
	var token string
	err = wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		answer, err := admin.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, request, metav1.CreateOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		token = answer.Status.Token
		return err == nil, err
	})
	account := rest.AnonymousClientConfig(config)
	account.BearerToken = token
	return account, err
}

func (a *autoscaler) lead(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	identity := fmt.Sprintf("%s-%d", host, os.Getpid())
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, a.lease, a.client.CoreV1(), a.client.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: identity, EventRecorder: a.events})
	if err != nil {
		return err
	}
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: 2 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: a.lookAlways,
			OnStoppedLeading: func() {},
		},
	})
	return errors.New("lost the lease")
}

func (a *autoscaler) lookAlways(ctx context.Context) {
	a.view = newView(ctx, a.client)
	for tick := time.Tick(a.scanInterval); ctx.Err() == nil; <-tick {
		if err := a.look(ctx, time.Now()); err != nil {
			klog.ErrorS(err, "will look again")
		}
	}
}

func (a *autoscaler) look(ctx context.Context, now time.Time) error {
	if err := a.writeStatus(ctx, now); err != nil {
		return err
	}
	world, err := a.view.look(a.cloud)
	if err != nil {
		return err
	}
	grown, reasons := world.grow()
	for pod, reason := range reasons {
		a.events.Eventf(pod, corev1.EventTypeNormal, "NotTriggerScaleUp", "pod didn't trigger scale-up: %s", reason)
	}
	if grown != nil {
		return a.grow(grown, now)
	}
	return a.shrink(ctx, world, now)
}

func (a *autoscaler) grow(grown *growth, now time.Time) error {
	klog.InfoS("grows", "group", grown)
	if err := a.cloud.Resize(grown.group.Name, grown.size); err != nil {
		return err
	}
	a.grewAt = now
	for _, pod := range grown.pods {
		a.events.Eventf(pod, corev1.EventTypeNormal, "TriggeredScaleUp", "pod triggered scale-up: %s", grown)
	}
	return nil
}

// shrink takes away one node that has been unneeded for long enough. What moves from it may need another that could have gone too.
func (a *autoscaler) shrink(ctx context.Context, world world, now time.Time) error {
	if now.Before(a.grewAt.Add(a.delayAfterAdd)) {
		return nil
	}
	since := map[string]time.Time{}
	var goes *corev1.Node
	for _, node := range world.unneeded(a.utilization) {
		since[node.Name] = now
		if before, was := a.unneeded[node.Name]; was {
			since[node.Name] = before
		}
		if goes == nil && !now.Before(since[node.Name].Add(a.unneededTime)) {
			goes = node
		}
	}
	a.unneeded = since
	if goes == nil {
		return nil
	}
	return a.remove(ctx, goes, world.podsOn(goes.Name))
}

func (a *autoscaler) remove(ctx context.Context, node *corev1.Node, pods []*corev1.Pod) error {
	klog.InfoS("takes away", "node", node.Name)
	if err := a.markDeleted(ctx, node); err != nil {
		return err
	}
	a.events.Event(node, corev1.EventTypeNormal, "ScaleDown", "marked the node as toBeDeleted/unschedulable")
	for _, pod := range slices.DeleteFunc(pods, ofDaemonSet) {
		eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}}
		a.events.Event(pod, corev1.EventTypeNormal, "ScaleDown", "deleting pod for node scale down")
		if err := a.client.PolicyV1().Evictions(pod.Namespace).Evict(ctx, eviction); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	if err := a.cloud.Terminate(node); err != nil {
		return err
	}
	a.events.Event(node, corev1.EventTypeNormal, "ScaleDown", "node removed by cluster autoscaler")
	return nil
}

func (a *autoscaler) markDeleted(ctx context.Context, node *corev1.Node) error {
	if slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return taint.Key == toBeDeleted }) {
		return nil
	}
	marked := node.DeepCopy()
	marked.Spec.Taints = append(marked.Spec.Taints, corev1.Taint{
		Key: toBeDeleted, Value: fmt.Sprint(time.Now().Unix()), Effect: corev1.TaintEffectNoSchedule,
	})
	_, err := a.client.CoreV1().Nodes().Update(ctx, marked, metav1.UpdateOptions{})
	return err
}

// writeStatus tells people that it is alive, as the real one does in each look.
func (a *autoscaler) writeStatus(ctx context.Context, now time.Time) error {
	maps := a.client.CoreV1().ConfigMaps(namespace)
	status := map[string]string{"status": "time: " + now.UTC().Format(time.RFC3339) + "\nautoscalerStatus: Running\n"}
	there, err := maps.Get(ctx, a.status, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: a.status}, Data: status}, metav1.CreateOptions{})
		return err
	}
	if err != nil {
		return err
	}
	there.Data = status
	_, err = maps.Update(ctx, there, metav1.UpdateOptions{})
	return err
}
