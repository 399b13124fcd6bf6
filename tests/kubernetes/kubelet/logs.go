package kubelet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// serveLogs answers what `kubectl logs` makes the API server ask of a kubelet. The lines are those that the script prints, when it begins.
func (p *pods) serveLogs(listener net.Listener) error {
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", p.logs)
	server := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	return server.ServeTLS(listener, "", "")
}

func (p *pods) logs(answer http.ResponseWriter, request *http.Request) {
	pod, err := p.client.CoreV1().Pods(request.PathValue("namespace")).Get(request.Context(), request.PathValue("pod"), metav1.GetOptions{})
	if err != nil {
		http.Error(answer, err.Error(), http.StatusNotFound)
		return
	}
	p.lock.Lock()
	now := p.running[pod.UID]
	p.lock.Unlock()
	if now == nil {
		http.Error(answer, "the pod has not started", http.StatusNotFound)
		return
	}
	if request.PathValue("container") == pod.Spec.Containers[0].Name {
		fmt.Fprint(answer, now.script.prints)
	}
	http.NewResponseController(answer).Flush()
	if request.URL.Query().Get("follow") == "true" {
		select {
		case <-now.ended:
		case <-request.Context().Done():
		}
	}
}

func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}, err
}
