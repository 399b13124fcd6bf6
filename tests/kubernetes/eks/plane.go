package eks

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"groundwork.dev/tests/kubernetes/groups"
	"groundwork.dev/tests/kubernetes/up"
)

const (
	tendEvery = 500 * time.Millisecond
	patience  = 10 * time.Minute
)

// A plane is the control plane of one cluster, with its relays, and what EKS does in it.
type plane struct {
	at     place
	data   string
	groups groups.File
	options
	answer atomic.Pointer[answering]

	lock sync.Mutex
	// What the local EKS said last, and when it was asked.
	state  state
	asked  time.Time
	spaces []string
}

// A state is what the local EKS says that the cluster is to be: local/eks_inside.py.
type state struct {
	// Ranges that reach the endpoint from the internet.
	Public []string `json:"public"`
	// The address of the operator's NAT gateway, if there is one.
	Operator string           `json:"operator"`
	Objects  []map[string]any `json:"objects"`
	Groups   []nodegroup      `json:"groups"`
	// The service accounts that have roles, as "namespace/name".
	Associated []string `json:"associated"`
}

func newPlane(at place, data string, o options) *plane {
	return &plane{at: at, data: data, groups: groups.File(filepath.Join(data, "groups.json")), options: o, spaces: []string{}}
}

func (p *plane) run(ctx context.Context) error {
	var tending sync.WaitGroup
	defer tending.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	running := up.Options{Data: p.data, Groups: string(p.groups), Webhook: p.question("review"), Patience: patience}
	return running.Run(ctx, func(server up.Server) error {
		inside, err := newInside(p, server.Kubeconfig)
		if err != nil {
			return err
		}
		if err := p.admit(ctx, inside.client, server.CA); err != nil {
			return err
		}
		tending.Go(func() { p.tend(ctx, inside) })
		return p.open(ctx, server)
	})
}

// open lets clients in: those somewhere on the internet by one port, those behind the operator's NAT gateway by another.
func (p *plane) open(ctx context.Context, server up.Server) error {
	laptop, err := listen(ctx, server.Endpoint, p.admitsLaptop)
	if err != nil {
		return err
	}
	operator, err := listen(ctx, server.Endpoint, p.admitsOperator)
	if err != nil {
		return err
	}
	p.answer.Store(&answering{p.at, laptop, operator, server.CA})
	return nil
}

// tend makes the cluster what EKS says, again and again.
func (p *plane) tend(ctx context.Context, inside *inside) {
	for tick := time.Tick(tendEvery); ctx.Err() == nil; {
		if err := inside.look(ctx); err != nil && ctx.Err() == nil {
			klog.ErrorS(err, "will look again", "cluster", p.at)
		}
		select {
		case <-tick:
		case <-ctx.Done():
		}
	}
}

func (p *plane) question(name string) string {
	return fmt.Sprintf("%s/_ministack/eks-auth/%s/%s", p.emulator, p.at, name)
}

// now is what the local EKS says, and has said within that time.
func (p *plane) now(ctx context.Context, within time.Duration) (state, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if time.Since(p.asked) < within {
		return p.state, nil
	}
	asked := time.Now()
	var said state
	if err := put(ctx, http.MethodPost, p.question("state"), map[string]any{"namespaces": p.spaces}, &said); err != nil {
		return state{}, err
	}
	p.state, p.asked = said, asked
	return said, nil
}

// setNamespaces are those in which access may be given.
func (p *plane) setNamespaces(names []string) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if !reflect.DeepEqual(p.spaces, names) {
		p.spaces, p.asked = names, time.Time{}
	}
}
