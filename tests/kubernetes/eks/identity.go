package eks

import (
	"context"
	"errors"
	"net/http"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// A podIdentity is what the agent of EKS Pod Identity does on a node: it exchanges a pod's token for the credentials of the role that is
// associated with its service account.
type podIdentity struct {
	at     place
	client kubernetes.Interface
	aws    *aws
	pod    *corev1.Pod
	held   keys
}

// as does something with those credentials, and once more with fresh ones if they have expired.
func (p *podIdentity) as(ctx context.Context, do func(keys) error) error {
	if p.held == (keys{}) {
		if err := p.assume(ctx); err != nil {
			return err
		}
	}
	err := do(p.held)
	if refused := (refusal{}); !errors.As(err, &refused) || !strings.Contains(refused.said, "ExpiredToken") {
		return err
	}
	if err := p.assume(ctx); err != nil {
		return err
	}
	return do(p.held)
}

func (p *podIdentity) assume(ctx context.Context) error {
	accounts := p.client.CoreV1().ServiceAccounts(p.pod.Namespace)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences:      []string{"pods.eks.amazonaws.com"},
		BoundObjectRef: &authenticationv1.BoundObjectReference{Kind: "Pod", APIVersion: "v1", Name: p.pod.Name, UID: p.pod.UID},
	}}
	token, err := accounts.CreateToken(ctx, p.pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	var answer struct {
		Credentials keys `json:"credentials"`
	}
	// The agent asks with the rights of the node's role; here, with all of the account's.
	at := "/clusters/" + p.at.Cluster + "/assume-role-for-pod-identity"
	body := map[string]string{"token": token.Status.Token}
	err = p.aws.rest(ctx, root(p.at.Account), "eks-auth", "AssumeRoleForPodIdentity", http.MethodPost, at, body, &answer)
	p.held = answer.Credentials
	return err
}
