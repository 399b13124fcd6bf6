package eks

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func binding(namespace, name string) map[string]any {
	metadata := map[string]any{"name": name, "namespace": namespace}
	return map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata}
}

func TestAnObjectIsMadeOnceAndTakenAwayWhenItIsNotWantedAnyMore(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		asked = append(asked, request.Method+" "+strings.TrimPrefix(request.URL.Path, "/apis/rbac.authorization.k8s.io/v1"))
		writer.Header().Set("Content-Type", "application/json")
		if strings.Contains(request.URL.Path, "/gone/") {
			writer.WriteHeader(http.StatusNotFound)
			io.WriteString(writer, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}`)
			return
		}
		io.WriteString(writer, `{"kind": "Status", "apiVersion": "v1", "status": "Success"}`)
	}))
	defer server.Close()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	objects := objects{client.RbacV1().RESTClient(), map[string]string{}}
	for _, row := range []struct {
		reason string
		wanted []map[string]any
		asked  []string
	}{
		{"a new one", []map[string]any{binding("research", "a")}, []string{"PATCH /namespaces/research/rolebindings/a"}},
		{"one that is there", []map[string]any{binding("research", "a")}, nil},
		{"none", nil, []string{"DELETE /namespaces/research/rolebindings/a"}},
		{"none still", nil, nil},
		{"one in a lost namespace is no error", []map[string]any{binding("gone", "b")}, []string{"PATCH /namespaces/gone/rolebindings/b"}},
	} {
		asked = nil
		if err := objects.look(t.Context(), row.wanted); err != nil || !slices.Equal(asked, row.asked) {
			t.Errorf("%s: %v, %v", row.reason, asked, err)
		}
	}
}
