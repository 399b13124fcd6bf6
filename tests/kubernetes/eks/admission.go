package eks

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// What the webhook of EKS Pod Identity gives to each container of a pod whose service account has an association as it is admitted, and to
// none later. It has no side effects, so it does so for a dry run, too.
// https://github.com/aws/amazon-eks-pod-identity-webhook
const (
	webhookName    = "pod-identity-webhook"
	credentialsURI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	agent          = "http://169.254.170.23/v1/credentials"
)

// admit serves the webhook, and tells the API server of it.
func (p *plane) admit(ctx context.Context, client kubernetes.Interface, authority []byte) error {
	credentials := filepath.Join(p.data, "credentials")
	pair, err := tls.LoadX509KeyPair(filepath.Join(credentials, "server.crt"), filepath.Join(credentials, "server.key"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go http.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}}), http.HandlerFunc(p.review))
	webhooks := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	// One from an earlier run has another port.
	if err := webhooks.Delete(ctx, webhookName, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	_, err = webhooks.Create(ctx, webhook("https://"+listener.Addr().String(), authority), metav1.CreateOptions{})
	return err
}

func webhook(url string, authority []byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	ignore, none := admissionregistrationv1.Ignore, admissionregistrationv1.SideEffectClassNone
	pods := admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}
	created := []admissionregistrationv1.OperationType{admissionregistrationv1.Create}
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: webhookName},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name:                    webhookName + ".amazonaws.com",
			ClientConfig:            admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: authority},
			Rules:                   []admissionregistrationv1.RuleWithOperations{{Operations: created, Rule: pods}},
			FailurePolicy:           &ignore,
			SideEffects:             &none,
			AdmissionReviewVersions: []string{"v1"},
		}},
	}
}

func (p *plane) review(writer http.ResponseWriter, request *http.Request) {
	var asked admissionv1.AdmissionReview
	var pod corev1.Pod
	if err := json.NewDecoder(request.Body).Decode(&asked); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	if err := json.Unmarshal(asked.Request.Object.Raw, &pod); err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	now, err := p.now(request.Context(), 0)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadGateway)
		return
	}
	answer := &admissionv1.AdmissionResponse{UID: asked.Request.UID, Allowed: true}
	if slices.Contains(now.Associated, asked.Request.Namespace+"/"+pod.Spec.ServiceAccountName) {
		jsonPatch := admissionv1.PatchTypeJSONPatch
		answer.PatchType, answer.Patch = &jsonPatch, withCredentials(&pod)
	}
	asked.Request, asked.Response = nil, answer
	json.NewEncoder(writer).Encode(asked)
}

// withCredentials is the patch that gives each container the agent's address.
func withCredentials(pod *corev1.Pod) []byte {
	patch := []map[string]any{}
	for at, container := range pod.Spec.Containers {
		env := append(slices.Clone(container.Env), corev1.EnvVar{Name: credentialsURI, Value: agent})
		patch = append(patch, map[string]any{"op": "add", "path": fmt.Sprintf("/spec/containers/%d/env", at), "value": env})
	}
	text, _ := json.Marshal(patch)
	return text
}

func hasCredentials(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(container corev1.Container) bool {
		return slices.ContainsFunc(container.Env, func(variable corev1.EnvVar) bool { return variable.Name == credentialsURI })
	})
}
