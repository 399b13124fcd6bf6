package eks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

const rbac = "/apis/rbac.authorization.k8s.io/v1"

// An access keeps the roles and bindings that stand for EKS's access policies, which EKS evaluates in an authorizer of its own. By path, it
// knows what it has made.
type access struct {
	client rest.Interface
	made   map[string]string
}

// look makes the roles and bindings those that are wanted.
func (a *access) look(ctx context.Context, wanted []map[string]any) error {
	keep := map[string]bool{}
	var failed []error
	for _, object := range wanted {
		path := pathOf(object)
		keep[path] = true
		failed = append(failed, a.apply(ctx, path, object))
	}
	for path := range a.made {
		if !keep[path] {
			failed = append(failed, a.remove(ctx, path))
		}
	}
	return errors.Join(failed...)
}

func (a *access) apply(ctx context.Context, path string, object map[string]any) error {
	text, err := json.Marshal(object)
	if err != nil || a.made[path] == string(text) {
		return err
	}
	request := a.client.Patch(types.ApplyPatchType).AbsPath(path).Param("fieldManager", "eks").Param("force", "true")
	err = request.Body(text).Do(ctx).Error()
	if apierrors.IsNotFound(err) {
		// The namespace has gone. If it comes back, so does the binding.
		return nil
	}
	if err == nil {
		a.made[path] = string(text)
	}
	return err
}

func (a *access) remove(ctx context.Context, path string) error {
	err := a.client.Delete().AbsPath(path).Body(&metav1.DeleteOptions{}).Do(ctx).Error()
	if err == nil || apierrors.IsNotFound(err) {
		delete(a.made, path)
		return nil
	}
	return err
}

func pathOf(object map[string]any) string {
	metadata := object["metadata"].(map[string]any)
	collection := strings.ToLower(fmt.Sprint(object["kind"], "s"))
	if namespace, is := metadata["namespace"]; is {
		return fmt.Sprintf("%s/namespaces/%s/%s/%s", rbac, namespace, collection, metadata["name"])
	}
	return fmt.Sprintf("%s/%s/%s", rbac, collection, metadata["name"])
}
