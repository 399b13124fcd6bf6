package eks

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestAPodGetsCredentialsIfItsServiceAccountHasAnAssociationWhenItIsAdmitted(t *testing.T) {
	emulator := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(writer).Encode(state{Associated: []string{"research/run"}})
	}))
	defer emulator.Close()
	plane := newPlane(place{"222222222222", "us-west-2", "c"}, t.TempDir(), options{emulator: emulator.URL})
	for _, row := range []struct {
		namespace, account string
		given              bool
	}{{"research", "run", true}, {"research", "default", false}, {"default", "run", false}} {
		plane.asked = time.Time{}
		variable := corev1.EnvVar{Name: "A", Value: "b"}
		pod := corev1.Pod{Spec: corev1.PodSpec{ServiceAccountName: row.account, Containers: []corev1.Container{{Env: []corev1.EnvVar{variable}}}}}
		raw, _ := json.Marshal(pod)
		asked := admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{
			UID: "1", Namespace: row.namespace, Object: runtime.RawExtension{Raw: raw},
		}}
		body, _ := json.Marshal(asked)
		recorder := httptest.NewRecorder()
		plane.review(recorder, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)))
		var told admissionv1.AdmissionReview
		if err := json.NewDecoder(recorder.Body).Decode(&told); err != nil || !told.Response.Allowed || told.Response.UID != "1" {
			t.Fatal(recorder.Code, err)
		}
		if given := len(told.Response.Patch) > 0; given != row.given {
			t.Errorf("%+v: %s", row, told.Response.Patch)
		}
		if want := `[{"op":"add","path":"/spec/containers/0/env","value":[{"name":"A","value":"b"},{"name":"AWS_CONTAINER_CREDENTIALS_FULL_URI","value":"http://169.254.170.23/v1/credentials"}]}]`; row.given && string(told.Response.Patch) != want {
			t.Error(string(told.Response.Patch))
		}
	}
}
