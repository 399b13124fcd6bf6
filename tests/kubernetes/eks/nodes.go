package eks

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"groundwork.dev/tests/kubernetes/groups"
)

// How long these take on AWS: until an instance's node joins, and from there until the device plugin of Bottlerocket's NVIDIA image, which
// runs on the host, reports the GPUs.
const (
	bootSeconds = 60
	gpuSeconds  = 20
)

// A nodegroup is as DescribeNodegroup shows it, with the instances of its Auto Scaling group.
type nodegroup struct {
	Name          string   `json:"nodegroupName"`
	InstanceTypes []string `json:"instanceTypes"`
	Scaling       struct {
		Min     int `json:"minSize"`
		Max     int `json:"maxSize"`
		Desired int `json:"desiredSize"`
	} `json:"scalingConfig"`
	Labels map[string]string `json:"labels"`
	Taints []struct {
		Key    string `json:"key"`
		Value  string `json:"value"`
		Effect string `json:"effect"`
	} `json:"taints"`
	Tags      map[string]string `json:"tags"`
	DiskSize  int               `json:"diskSize"`
	Instances []struct {
		ID   string `json:"id"`
		Zone string `json:"zone"`
	} `json:"instances"`
}

// As EKS calls the effects, and as Kubernetes does.
var effects = map[string]corev1.TaintEffect{
	"NO_SCHEDULE":        corev1.TaintEffectNoSchedule,
	"NO_EXECUTE":         corev1.TaintEffectNoExecute,
	"PREFER_NO_SCHEDULE": corev1.TaintEffectPreferNoSchedule,
}

// group is the node group with what its instance type has.
func (n nodegroup) group(region string, kind instanceType) groups.Group {
	group := groups.Group{
		Name: n.Name, InstanceType: kind.Name, Desired: n.Scaling.Desired, Min: n.Scaling.Min, Max: n.Scaling.Max,
		CPU:          *resource.NewQuantity(kind.VCPUs, resource.DecimalSI),
		Memory:       *resource.NewQuantity(kind.MemoryMiB<<20, resource.BinarySI),
		GPUs:         kind.gpus(),
		Architecture: kind.architecture(),
		Labels:       n.Labels,
		Tags:         n.Tags,
		// A group without a subnet has no node to be there.
		Zones:       []string{region + "a"},
		BootSeconds: bootSeconds,
		GPUSeconds:  gpuSeconds,
		Launched:    []groups.Instance{},
	}
	if n.DiskSize > 0 {
		group.EphemeralStorage = *resource.NewQuantity(int64(n.DiskSize)<<30, resource.BinarySI)
	}
	for _, taint := range n.Taints {
		group.Taints = append(group.Taints, corev1.Taint{Key: taint.Key, Value: taint.Value, Effect: effects[taint.Effect]})
	}
	for _, one := range n.Instances {
		// As EC2 names hosts by their resource, so that the name tells the instance.
		name := fmt.Sprintf("%s.%s.compute.internal", one.ID, region)
		group.Launched = append(group.Launched, groups.Instance{Name: name, ID: one.ID, Zone: one.Zone})
	}
	return group
}

// kind is the first of the types, of which the nodes are as long as EC2 has any; or EKS's own choice.
func (n nodegroup) kind() string {
	if len(n.InstanceTypes) == 0 {
		return "t3.medium"
	}
	return n.InstanceTypes[0]
}

// A catalog is of the instance types that EC2 has told of already.
type catalog struct {
	aws   *aws
	known map[string]instanceType
}

func (c *catalog) of(ctx context.Context, by keys, name string) (instanceType, error) {
	if kind, is := c.known[name]; is {
		return kind, nil
	}
	var answer struct {
		Types []instanceType `xml:"instanceTypeSet>item"`
	}
	if err := c.aws.query(ctx, by, "ec2", "2016-11-15", "DescribeInstanceTypes", fields{"InstanceType.1": name}, &answer); err != nil {
		return instanceType{}, err
	}
	if len(answer.Types) != 1 {
		return instanceType{}, fmt.Errorf("EC2 does not know the type %s", name)
	}
	c.known[name] = answer.Types[0]
	return answer.Types[0], nil
}

// An instanceType is as DescribeInstanceTypes shows it.
type instanceType struct {
	Name          string   `xml:"instanceType"`
	VCPUs         int64    `xml:"vCpuInfo>defaultVCpus"`
	MemoryMiB     int64    `xml:"memoryInfo>sizeInMiB"`
	Architectures []string `xml:"processorInfo>supportedArchitectures>item"`
	GPUCounts     []int64  `xml:"gpuInfo>gpus>item>count"`
}

func (t instanceType) gpus() int64 {
	sum := int64(0)
	for _, count := range t.GPUCounts {
		sum += count
	}
	return sum
}

func (t instanceType) architecture() string {
	if strings.Join(t.Architectures, "") == "arm64" {
		return "arm64"
	}
	return "amd64"
}
