// Package up runs a whole cluster: a process for each part of it, for as long as it is asked to, and none of them longer.
package up

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const host = "127.0.0.1"

// Options are what a cluster is run with. Data is required.
type Options struct {
	// The folder of its data, credentials and logs, the file of its node groups, and who tells users by their token.
	Data, Groups, Webhook string
	autoscaler            []string
	port                  int
	detached              bool
	Patience              time.Duration
}

// A Server is where a cluster's API server is, and who has signed its certificate.
type Server struct {
	Endpoint string `json:"endpoint"`
	CA       []byte `json:"ca"`
	// An administrator's.
	Kubeconfig string `json:"-"`
}

// Command is `kubernetes up`.
func Command() *cobra.Command {
	var o Options
	command := &cobra.Command{
		Use:           "up",
		Short:         "run a cluster until SIGTERM, or until whoever started it has gone",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			if !o.detached {
				ctx = untilOrphaned(ctx)
			}
			err := o.Run(ctx, func(server Server) error { return json.NewEncoder(os.Stdout).Encode(server) })
			if ctx.Err() != nil {
				return nil
			}
			return err
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Data, "data", "", "folder of the cluster's data, credentials and logs")
	flags.IntVar(&o.port, "port", 0, "port of the API server; 0 takes a free one")
	flags.StringVar(&o.Groups, "groups", "", "the node groups (default <data>/groups.json)")
	flags.StringVar(&o.Webhook, "authentication-webhook", "", "who tells users by their token: a URL, or the path of a kubeconfig")
	flags.StringArrayVar(&o.autoscaler, "autoscaler-flag", nil, "run the autoscaler, with this flag; may be repeated")
	flags.BoolVar(&o.detached, "detached", false, "go on when the parent has gone or closed a pipe at stdin")
	flags.DurationVar(&o.Patience, "ready-within", 2*time.Minute, "how long the cluster may take to start")
	command.MarkFlagRequired("data")
	return command
}

// Run runs it until the context ends, or a part of it, and says when it is ready. It keeps the thread that it is called on.
func (o Options) Run(ctx context.Context, ready func(Server) error) error {
	data, err := filepath.Abs(o.Data)
	if err != nil {
		return err
	}
	o.Data = data
	if o.Groups == "" {
		o.Groups = o.in("groups.json")
	}
	tokens, err := credentials(o.in("credentials"))
	if err != nil {
		return err
	}
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	if o.port == 0 {
		o.port = ports[2]
	}
	authority, err := os.ReadFile(o.in("credentials/ca.crt"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(o.in("ca.crt"), authority, 0o600); err != nil {
		return err
	}
	for name, token := range tokens {
		if err := o.writeKubeconfig(name, token, authority); err != nil {
			return err
		}
	}

	children := newChildren(o.Data)
	defer children.end()
	etcd := fmt.Sprintf("%s:%d", host, ports[0])
	children.start("etcd", "--data", o.in("etcd"), "--client", etcd, "--peer", fmt.Sprintf("%s:%d", host, ports[1]))
	apiserver, err := o.apiserver(etcd)
	if err != nil {
		return err
	}
	children.start("apiserver", apiserver...)

	waited := make(chan error, 1)
	go func() { waited <- o.answers(ctx) }()
	if err := children.until(ctx, waited); err != nil {
		return err
	}
	children.start("controllers", o.controllers()...)
	children.start("scheduler", "--kubeconfig", o.kubeconfig("scheduler"), "--leader-elect=false", "--secure-port=0")
	children.start("kubelet", "--kubeconfig", o.kubeconfig("admin"), "--groups", o.Groups)
	if len(o.autoscaler) > 0 {
		children.start("autoscaler", append([]string{"--kubeconfig", o.kubeconfig("admin"), "--groups", o.Groups}, o.autoscaler...)...)
	}
	go func() { waited <- o.takesPods(ctx) }()
	if err := children.until(ctx, waited); err != nil {
		return err
	}
	if err := ready(Server{o.endpoint(), authority, o.kubeconfig("admin")}); err != nil {
		return err
	}
	return children.until(ctx, nil)
}

func (o Options) in(name string) string         { return filepath.Join(o.Data, name) }
func (o Options) kubeconfig(name string) string { return o.in(name + ".kubeconfig") }
func (o Options) endpoint() string              { return fmt.Sprintf("https://%s:%d", host, o.port) }

func (o Options) apiserver(etcd string) ([]string, error) {
	credentials := o.in("credentials")
	flags := []string{
		"--etcd-servers=http://" + etcd,
		"--bind-address=" + host,
		"--advertise-address=" + host,
		fmt.Sprint("--secure-port=", o.port),
		"--tls-cert-file=" + credentials + "/server.crt",
		"--tls-private-key-file=" + credentials + "/server.key",
		"--service-cluster-ip-range=10.100.0.0/16",
		// It would tell pods an address of this machine, and there may be several clusters on it.
		"--endpoint-reconciler-type=none",
		"--service-account-issuer=" + o.endpoint(),
		"--service-account-signing-key-file=" + credentials + "/accounts.key",
		"--service-account-key-file=" + credentials + "/accounts.pub",
		"--token-auth-file=" + credentials + "/tokens.csv",
		"--authorization-mode=RBAC",
		"--anonymous-auth=false",
		"--allow-privileged=true",
		"--profiling=false",
	}
	if o.Webhook == "" {
		return flags, nil
	}
	config := o.Webhook
	if strings.Contains(o.Webhook, "://") {
		config = o.kubeconfig("authentication-webhook")
		if err := clientcmd.WriteToFile(*kubeconfig(clientcmdapi.Cluster{Server: o.Webhook}, clientcmdapi.AuthInfo{}), config); err != nil {
			return nil, err
		}
	}
	return append(flags,
		"--authentication-token-webhook-config-file="+config,
		"--authentication-token-webhook-version=v1",
		// What an access entry says is to be believed soon after it has changed.
		"--authentication-token-webhook-cache-ttl=1s",
	), nil
}

func (o Options) controllers() []string {
	credentials := o.in("credentials")
	return []string{
		"--kubeconfig=" + o.kubeconfig("controllers"),
		"--leader-elect=false",
		"--secure-port=0",
		// Each with the rights of its own account, as on EKS.
		"--use-service-account-credentials",
		"--service-account-private-key-file=" + credentials + "/accounts.key",
		"--root-ca-file=" + credentials + "/ca.crt",
	}
}

func (o Options) writeKubeconfig(name, token string, authority []byte) error {
	cluster := clientcmdapi.Cluster{Server: o.endpoint(), CertificateAuthorityData: authority}
	return clientcmd.WriteToFile(*kubeconfig(cluster, clientcmdapi.AuthInfo{Token: token}), o.kubeconfig(name))
}

func kubeconfig(cluster clientcmdapi.Cluster, user clientcmdapi.AuthInfo) *clientcmdapi.Config {
	config := clientcmdapi.NewConfig()
	config.Clusters["cluster"] = &cluster
	config.AuthInfos["user"] = &user
	config.Contexts["cluster"] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: "user"}
	config.CurrentContext = "cluster"
	return config
}

func (o Options) client() (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig("admin"))
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

// answers waits until the API server calls itself ready.
func (o Options) answers(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	return o.eventually(ctx, "the API server is not ready", func(ctx context.Context) bool {
		status := 0
		client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).StatusCode(&status)
		return status == http.StatusOK
	})
}

// takesPods waits for the account that pods of the default namespace have, without which none is taken: the controllers make it.
func (o Options) takesPods(ctx context.Context) error {
	client, err := o.client()
	if err != nil {
		return err
	}
	return o.eventually(ctx, "the controllers do nothing", func(ctx context.Context) bool {
		_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err == nil
	})
}

func (o Options) eventually(ctx context.Context, otherwise string, holds func(context.Context) bool) error {
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, o.Patience, true, func(ctx context.Context) (bool, error) {
		return holds(ctx), nil
	})
	if err != nil {
		return fmt.Errorf("%s after %s: see the logs in %s", otherwise, o.Patience, o.Data)
	}
	return nil
}

// freePorts are free now. Another process may take one before its server does; then that server says so and the cluster ends.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", host+":0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
