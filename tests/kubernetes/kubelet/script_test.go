package kubelet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAPodDoesWhatItsCommandSays(t *testing.T) {
	annotated := map[string]string{exitAfter: "2s", exitCode: "7"}
	for _, row := range []struct {
		reason      string
		annotations map[string]string
		command     []string
		want        script
	}{
		{"true succeeds", nil, []string{"true"}, script{ends: true}},
		{"false fails", nil, []string{"false"}, script{ends: true, code: 1}},
		{"a code is told by exit", nil, []string{"sh", "-c", "exit 3"}, script{ends: true, code: 3}},
		{"it sleeps as long as it says", nil, []string{"sleep", "0.5"}, script{ends: true, lasts: time.Second / 2}},
		{
			"several are done one after the other", nil, []string{"sh", "-c", "echo 'on it' && sleep 1; exit 2; echo never"},
			script{ends: true, prints: "on it\n", lasts: time.Second, code: 2},
		},
		{"what is not known goes on for ever", nil, []string{"python", "train.py"}, script{}},
		{"an image's own command does too", nil, nil, script{}},
		{"annotations say how something unknown ends", annotated, []string{"python"}, script{ends: true, lasts: 2 * time.Second, code: 7}},
	} {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Annotations: row.annotations},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Command: row.command}}},
		}
		if got := scriptOf(pod); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.reason, got, row.want)
		}
	}
}
