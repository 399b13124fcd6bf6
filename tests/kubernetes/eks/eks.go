// Package eks gives the clusters of the local EKS a control plane each, and does in it what EKS, EC2 and Auto Scaling do on AWS.
package eks

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
)

const (
	host      = "127.0.0.1"
	lookEvery = 250 * time.Millisecond
)

// A place names a cluster.
type place struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Cluster string `json:"cluster"`
}

func (p place) String() string { return p.Account + "/" + p.Region + "/" + p.Cluster }

// What EKS tells of a control plane, to whoever asks from the internet and to functions in the operator's VPC.
type answering struct {
	Of                   place  `json:"of"`
	Endpoint             string `json:"endpoint"`
	EndpointThroughNAT   string `json:"endpoint_through_nat"`
	CertificateAuthority []byte `json:"certificate_authority"`
}

type options struct {
	port int
	// The proxy, which is AWS to everybody, and the emulator behind it, which knows what is not asked of AWS.
	cloud, emulator string
	data            string
	speed           float64
}

// Command is `kubernetes eks`.
func Command() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:          "eks",
		Short:        "run a control plane for each cluster of the local EKS that is to have one",
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return o.run(ctx)
		},
	}
	flags := command.Flags()
	flags.IntVar(&o.port, "port", 4569, "answers that it runs, and which control planes do")
	flags.StringVar(&o.cloud, "cloud", "http://127.0.0.1:4567", "the local cloud")
	flags.StringVar(&o.emulator, "aws", "http://127.0.0.1:4566", "the emulator behind it")
	flags.StringVar(&o.data, "data", "", "folder of the clusters' data, credentials and logs")
	flags.Float64Var(&o.speed, "speed", 60, "how many seconds of AWS pass in a second")
	command.MarkFlagRequired("data")
	return command
}

type eks struct {
	options
	lock    sync.Mutex
	running map[place]*running
}

type running struct {
	plane *plane
	stop  context.CancelFunc
	ended chan struct{}
}

func (o options) run(ctx context.Context) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, o.port))
	if err != nil {
		return err
	}
	e := &eks{options: o, running: map[place]*running{}}
	go http.Serve(listener, http.HandlerFunc(e.show))
	for tick := time.Tick(lookEvery); ctx.Err() == nil; {
		if err := e.look(ctx); err != nil {
			klog.ErrorS(err, "will look again")
		}
		select {
		case <-tick:
		case <-ctx.Done():
		}
	}
	for at := range e.running {
		e.running[at].stop()
	}
	for _, one := range e.running {
		<-one.ended
	}
	return nil
}

// look tells the local cloud which control planes answer, and makes them those that it wants.
func (e *eks) look(ctx context.Context) error {
	wanted, err := e.exchange(ctx, e.answering())
	if err != nil {
		return err
	}
	keep := map[place]bool{}
	for _, at := range wanted {
		keep[at] = true
		if err := e.start(ctx, at); err != nil {
			return err
		}
	}
	// A cluster of the same name may come as soon as the last one's folder has gone, and no sooner.
	for _, one := range e.dismiss(keep) {
		one.end()
	}
	return nil
}

// dismiss gives those that are not to be kept.
func (e *eks) dismiss(keep map[place]bool) []*running {
	e.lock.Lock()
	defer e.lock.Unlock()
	var others []*running
	for at, one := range e.running {
		if !keep[at] {
			others = append(others, one)
			delete(e.running, at)
		}
	}
	return others
}

func (r *running) end() {
	r.stop()
	<-r.ended
	os.RemoveAll(r.plane.data)
}

func (e *eks) exchange(ctx context.Context, answer []answering) ([]place, error) {
	var wanted []place
	return wanted, put(ctx, http.MethodPut, e.cloud+"/_cloud/control-planes", answer, &wanted)
}

func (e *eks) answering() []answering {
	e.lock.Lock()
	defer e.lock.Unlock()
	all := []answering{}
	for _, one := range e.running {
		if answer := one.plane.answer.Load(); answer != nil {
			all = append(all, *answer)
		}
	}
	return all
}

// start runs a control plane, unless it runs already, until it ends by itself or is ended. In the first case it starts anew in the next
// look.
func (e *eks) start(ctx context.Context, at place) error {
	e.lock.Lock()
	defer e.lock.Unlock()
	if _, runs := e.running[at]; runs {
		return nil
	}
	data := filepath.Join(e.data, at.Account, at.Region, at.Cluster)
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	plane := newPlane(at, data, e.options)
	ctx, stop := context.WithCancel(ctx)
	one := &running{plane, stop, make(chan struct{})}
	e.running[at] = one
	go func() {
		defer close(one.ended)
		defer stop()
		if err := plane.run(ctx); ctx.Err() == nil {
			klog.ErrorS(err, "ended by itself", "cluster", at)
			e.forget(at, one)
		}
	}()
	return nil
}

func (e *eks) forget(at place, one *running) {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.running[at] == one {
		delete(e.running, at)
	}
}

func (e *eks) show(writer http.ResponseWriter, _ *http.Request) {
	json.NewEncoder(writer).Encode(e.answering())
}

// put sends JSON and reads JSON.
func put(ctx context.Context, method, url string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s %s: %s %s", method, url, response.Status, said)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
