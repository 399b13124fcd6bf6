package groups

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestInstancesAreAsManyAsDesiredAndTheirNamesDoNotComeBack(t *testing.T) {
	for _, row := range []struct {
		reason  string
		desired int
		gone    []string
		want    []string
	}{
		{"an empty group has none", 0, nil, nil},
		{"the oldest come first", 2, nil, []string{"a-0", "a-1"}},
		{"a terminated one is passed over", 2, []string{"a-0"}, []string{"a-1", "a-2"}},
		{"one that was terminated in an empty group stays away", 0, []string{"a-0"}, nil},
	} {
		got := names(Group{Name: "a", Desired: row.desired, Gone: row.gone, Zones: []string{"us-west-2a"}})
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
}

func names(group Group) []string {
	var all []string
	for _, instance := range group.Instances() {
		all = append(all, instance.Name)
	}
	return all
}

func TestInstancesThatEC2TellsAreTheOnlyOnes(t *testing.T) {
	launched := []Instance{{Name: "i-1.us-west-2.compute.internal", ID: "i-1", Zone: "us-west-2b"}}
	if got := (Group{Name: "a", Desired: 2, Launched: launched}).Instances(); !slices.Equal(got, launched) {
		t.Error(got)
	}
}

func TestAFileOfGroupsIsChangedWithinItsLimits(t *testing.T) {
	file := File(filepath.Join(t.TempDir(), "groups.json"))
	if err := file.Write([]Group{{Name: "a", Min: 0, Max: 2, Desired: 1, Zones: []string{"us-west-2a"}}}); err != nil {
		t.Fatal(err)
	}
	if err := file.Resize("a", 3); err == nil {
		t.Error("beyond the maximum")
	}
	if err := file.Resize("b", 1); err == nil {
		t.Error("a group that there is not")
	}
	if err := file.Resize("a", 2); err != nil {
		t.Error(err)
	}
	if err := file.Terminate("a", "a-0"); err != nil {
		t.Error(err)
	}
	if err := file.Terminate("a", "a-0"); err == nil {
		t.Error("a node that has gone already")
	}
	all, err := file.Read()
	if err != nil || !slices.Equal(names(all[0]), []string{"a-1"}) {
		t.Error(all, err)
	}
}

func TestAMisspeltFieldIsRefused(t *testing.T) {
	file := File(filepath.Join(t.TempDir(), "groups.json"))
	if err := os.WriteFile(string(file), []byte(`[{"name": "a", "desird": 1}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Read(); err == nil {
		t.Error("read")
	}
}

func TestANodeHasLessToGiveThanItsTemplateAndTheTemplateNoDiskWithoutATag(t *testing.T) {
	group := Group{
		Name: "g", CPU: resource.MustParse("4"), Memory: resource.MustParse("16Gi"), EphemeralStorage: resource.MustParse("80Gi"),
		GPUs: 1, Pods: 29, Labels: map[string]string{"a": "b"}, Zones: []string{"us-west-2a", "us-west-2b"},
	}
	node, template := group.Node(Instance{Name: "g-0", Zone: "us-west-2b"}), group.Template()
	if got := node.Status.Allocatable.Cpu().String(); got != "3920m" {
		t.Error("CPU of the node:", got)
	}
	if got := node.Status.Allocatable.Memory().Value(); got != 16<<30-(29*11+255+100)<<20 {
		t.Error("memory of the node:", got)
	}
	if !template.Status.Allocatable.Memory().Equal(group.Memory) {
		t.Error("memory of the template:", template.Status.Allocatable.Memory())
	}
	if !template.Status.Allocatable.StorageEphemeral().IsZero() {
		t.Error("a disk without a tag")
	}
	group.Tags = map[string]string{"k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage": "75Gi"}
	if got := group.Template().Status.Allocatable.StorageEphemeral().String(); got != "75Gi" {
		t.Error("the disk by the tag:", got)
	}
	labels := map[string]string{
		"a": "b", NodegroupLabel: "g", corev1.LabelTopologyZone: "us-west-2a", corev1.LabelTopologyRegion: "us-west-2",
	}
	for label, want := range labels {
		if template.Labels[label] != want {
			t.Errorf("%s: %s", label, template.Labels[label])
		}
	}
}
