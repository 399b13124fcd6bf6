package eks

import (
	"encoding/json"
	"encoding/xml"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"groundwork.dev/tests/kubernetes/groups"
)

const g4dn = `<item><instanceType>g4dn.12xlarge</instanceType><vCpuInfo><defaultVCpus>48</defaultVCpus></vCpuInfo>
<processorInfo><supportedArchitectures><item>x86_64</item></supportedArchitectures></processorInfo>
<memoryInfo><sizeInMiB>196608</sizeInMiB></memoryInfo><gpuInfo><gpus><item><name>T4</name><count>4</count></item></gpus></gpuInfo></item>`

const described = `{"nodegroupName": "gpu", "instanceTypes": ["g4dn.12xlarge"],
"scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 1}, "labels": {"team": "research"},
"taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}], "diskSize": 100,
"tags": {"a": "b"}, "instances": [{"id": "i-1", "zone": "us-west-2b"}]}`

func TestANodeHasWhatItsGroupAndItsInstanceTypeSay(t *testing.T) {
	var kind instanceType
	if err := xml.Unmarshal([]byte(g4dn), &kind); err != nil {
		t.Fatal(err)
	}
	var told nodegroup
	if err := json.Unmarshal([]byte(described), &told); err != nil {
		t.Fatal(err)
	}
	group := told.group("us-west-2", kind)
	node := group.Node(group.Instances()[0])
	for what, is := range map[string]bool{
		"the instance's name":  node.Name == "i-1.us-west-2.compute.internal" && node.Spec.ProviderID == "aws:///us-west-2b/i-1",
		"the instance's zone":  node.Labels[corev1.LabelTopologyZone] == "us-west-2b",
		"the group":            node.Labels[groups.NodegroupLabel] == "gpu" && node.Labels["team"] == "research",
		"the group's taint":    len(node.Spec.Taints) == 1 && node.Spec.Taints[0].Effect == corev1.TaintEffectNoSchedule,
		"the type's CPUs":      node.Status.Capacity.Cpu().Value() == 48,
		"the type's memory":    node.Status.Capacity.Memory().String() == "192Gi",
		"the type's GPUs":      node.Status.Allocatable.Name(groups.GPU, "").Value() == 4,
		"the group's disk":     node.Status.Capacity.StorageEphemeral().String() == "100Gi",
		"the size":             group.Min == 0 && group.Max == 3 && group.Desired == 1,
		"the kind of computer": node.Labels[corev1.LabelArchStable] == "amd64" && node.Labels[corev1.LabelInstanceTypeStable] == "g4dn.12xlarge",
	} {
		if !is {
			t.Errorf("%s: %+v", what, node)
		}
	}
}
