package eks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"groundwork.dev/tests/kubernetes/groups"
)

const discovery = "--node-group-auto-discovery=asg:tag="

// A scaling is the autoscaler's AWS: the Auto Scaling groups with its tags, with what EKS says of their node groups. It is remembered what
// EKS said first, be it that it does not say anything, as the real one does for an hour.
// https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/managed_nodegroup_cache.go
type scaling struct {
	ctx      context.Context
	aws      *aws
	identity *podIdentity
	// Each finds the groups with all of its tags.
	searches [][]string
	types    catalog
	known    map[string]nodegroup
}

// searchesIn are the tags of each discovery flag.
func searchesIn(flags []string) [][]string {
	var all [][]string
	for _, flag := range flags {
		if tags, is := strings.CutPrefix(flag, discovery); is {
			all = append(all, strings.Split(tags, ","))
		}
	}
	return all
}

// A scalingGroup is as DescribeAutoScalingGroups shows it.
type scalingGroup struct {
	Name    string `xml:"AutoScalingGroupName"`
	Min     int    `xml:"MinSize"`
	Max     int    `xml:"MaxSize"`
	Desired int    `xml:"DesiredCapacity"`
	// In the order of their letters.
	Zones []string `xml:"AvailabilityZones>member"`
	Tags  []struct {
		Key   string
		Value string
	} `xml:"Tags>member"`
}

func (s scalingGroup) tag(key string) string {
	for _, tag := range s.Tags {
		if tag.Key == key {
			return tag.Value
		}
	}
	return ""
}

// Groups are those that the searches find.
func (s *scaling) Groups() ([]groups.Group, error) {
	found, err := s.discover()
	if err != nil {
		return nil, err
	}
	var all []groups.Group
	for _, each := range found {
		known, err := s.nodegroup(each)
		if err != nil {
			return nil, err
		}
		kind := instanceType{}
		if len(known.InstanceTypes) > 0 {
			if kind, err = s.typeOf(known.InstanceTypes[0]); err != nil {
				return nil, err
			}
		}
		group := known.group(s.aws.region, kind)
		group.Name = each.tag("eks:nodegroup-name")
		group.Min, group.Max, group.Desired, group.Zones = each.Min, each.Max, each.Desired, each.Zones
		all = append(all, group)
	}
	return all, nil
}

func (s *scaling) discover() ([]scalingGroup, error) {
	var all []scalingGroup
	for _, tags := range s.searches {
		var answer struct {
			Groups []scalingGroup `xml:"DescribeAutoScalingGroupsResult>AutoScalingGroups>member"`
		}
		if err := s.ask("DescribeAutoScalingGroups", filters(tags), &answer); err != nil {
			return nil, err
		}
		all = append(all, answer.Groups...)
	}
	slices.SortFunc(all, func(a, b scalingGroup) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// filters are as the real one asks for tags with and without a value.
// https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/aws_wrapper.go
func filters(tags []string) fields {
	all := fields{}
	for number, tag := range tags {
		name, wanted := "tag-key", tag
		if key, value, is := strings.Cut(tag, "="); is {
			name, wanted = "tag:"+key, value
		}
		all[fmt.Sprintf("Filters.member.%d.Name", number+1)] = name
		all[fmt.Sprintf("Filters.member.%d.Values.member.1", number+1)] = wanted
	}
	return all
}

func (s *scaling) nodegroup(of scalingGroup) (nodegroup, error) {
	if known, is := s.known[of.Name]; is {
		return known, nil
	}
	var answer struct {
		Nodegroup nodegroup `json:"nodegroup"`
	}
	at := "/clusters/" + of.tag("eks:cluster-name") + "/node-groups/" + of.tag("eks:nodegroup-name")
	err := s.identity.as(s.ctx, func(by keys) error {
		return s.aws.rest(s.ctx, by, "eks", "DescribeNodegroup", http.MethodGet, at, nil, &answer)
	})
	if refused := (refusal{}); err != nil && !errors.As(err, &refused) {
		return nodegroup{}, err
	}
	s.known[of.Name] = answer.Nodegroup
	return answer.Nodegroup, nil
}

func (s *scaling) typeOf(name string) (instanceType, error) {
	var kind instanceType
	err := s.identity.as(s.ctx, func(by keys) (err error) {
		kind, err = s.types.of(s.ctx, by, name)
		return err
	})
	return kind, err
}

// Resize is SetDesiredCapacity.
func (s *scaling) Resize(group string, desired int) error {
	found, err := s.discover()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(found, func(each scalingGroup) bool { return each.tag("eks:nodegroup-name") == group })
	if at < 0 {
		return fmt.Errorf("there is no Auto Scaling group for %s any more", group)
	}
	wanted := fields{"AutoScalingGroupName": found[at].Name, "DesiredCapacity": fmt.Sprint(desired), "HonorCooldown": "false"}
	return s.ask("SetDesiredCapacity", wanted, new(struct{}))
}

// Terminate is TerminateInstanceInAutoScalingGroup.
func (s *scaling) Terminate(node *corev1.Node) error {
	wanted := fields{"InstanceId": path.Base(node.Spec.ProviderID), "ShouldDecrementDesiredCapacity": "true"}
	return s.ask("TerminateInstanceInAutoScalingGroup", wanted, new(struct{}))
}

func (s *scaling) ask(action string, what fields, answer any) error {
	return s.identity.as(s.ctx, func(by keys) error {
		return s.aws.query(s.ctx, by, "autoscaling", "2011-01-01", action, what, answer)
	})
}
