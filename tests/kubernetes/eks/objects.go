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

// objects keeps what EKS has in a cluster: the roles and bindings that stand for its access policies, which EKS evaluates in an authorizer of
// its own, and the drivers that add-ons bring. By path, it knows what it has made.
type objects struct {
	client rest.Interface
	made   map[string]string
}

// look makes the roles and bindings those that are wanted.
func (o *objects) look(ctx context.Context, wanted []map[string]any) error {
	keep := map[string]bool{}
	var failed []error
	for _, object := range wanted {
		path := pathOf(object)
		keep[path] = true
		failed = append(failed, o.apply(ctx, path, object))
	}
	for path := range o.made {
		if !keep[path] {
			failed = append(failed, o.remove(ctx, path))
		}
	}
	return errors.Join(failed...)
}

func (o *objects) apply(ctx context.Context, path string, object map[string]any) error {
	text, err := json.Marshal(object)
	if err != nil || o.made[path] == string(text) {
		return err
	}
	request := o.client.Patch(types.ApplyPatchType).AbsPath(path).Param("fieldManager", "eks").Param("force", "true")
	err = request.Body(text).Do(ctx).Error()
	if apierrors.IsNotFound(err) {
		// The namespace has gone. If it comes back, so does the binding.
		return nil
	}
	if err == nil {
		o.made[path] = string(text)
	}
	return err
}

func (o *objects) remove(ctx context.Context, path string) error {
	err := o.client.Delete().AbsPath(path).Body(&metav1.DeleteOptions{}).Do(ctx).Error()
	if err == nil || apierrors.IsNotFound(err) {
		delete(o.made, path)
		return nil
	}
	return err
}

func pathOf(object map[string]any) string {
	metadata := object["metadata"].(map[string]any)
	collection := strings.ToLower(fmt.Sprint(object["kind"], "s"))
	if namespace, is := metadata["namespace"]; is {
		return fmt.Sprintf("/apis/%s/namespaces/%s/%s/%s", object["apiVersion"], namespace, collection, metadata["name"])
	}
	return fmt.Sprintf("/apis/%s/%s/%s", object["apiVersion"], collection, metadata["name"])
}
