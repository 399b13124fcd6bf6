package eks

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

const group = `<DescribeAutoScalingGroupsResponse><DescribeAutoScalingGroupsResult><AutoScalingGroups><member>
<AutoScalingGroupName>eks-gpu-1</AutoScalingGroupName><MinSize>0</MinSize><MaxSize>2</MaxSize><DesiredCapacity>1</DesiredCapacity>
<AvailabilityZones><member>us-west-2a</member><member>us-west-2b</member></AvailabilityZones>
<Tags><member><Key>eks:cluster-name</Key><Value>c</Value></member><member><Key>eks:nodegroup-name</Key><Value>gpu</Value></member></Tags>
</member></AutoScalingGroups></DescribeAutoScalingGroupsResult></DescribeAutoScalingGroupsResponse>`

// An account answers as AWS does, and remembers what it was asked.
type account struct {
	asked  []string
	denied bool
}

func (a *account) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	request.ParseForm()
	action := request.Form.Get("Action")
	a.asked = append(a.asked, strings.TrimSpace(action+" "+request.Form.Get("DesiredCapacity")+request.Form.Get("InstanceId")))
	switch {
	case action == "DescribeAutoScalingGroups":
		fmt.Fprint(writer, group)
	case action == "DescribeInstanceTypes":
		fmt.Fprintf(writer, "<DescribeInstanceTypesResponse><instanceTypeSet>%s</instanceTypeSet></DescribeInstanceTypesResponse>", g4dn)
	case action != "":
		fmt.Fprintf(writer, "<%sResponse/>", action)
	case a.denied:
		http.Error(writer, `{"__type": "AccessDeniedException"}`, http.StatusForbidden)
	default:
		fmt.Fprintf(writer, `{"nodegroup": %s}`, described)
	}
}

func scalingIn(t *testing.T, account *account) *scaling {
	server := httptest.NewServer(account)
	t.Cleanup(server.Close)
	aws := &aws{server.URL, "us-west-2"}
	identity := &podIdentity{held: keys{ID: "ASIA", Secret: "secret", Token: "token"}}
	catalog := catalog{aws, map[string]instanceType{}}
	return &scaling{t.Context(), aws, identity, [][]string{{"k8s.io/cluster-autoscaler/c"}}, catalog, map[string]nodegroup{}}
}

func TestTheAutoscalerSeesAGroupAsAutoScalingAndEKSTellIt(t *testing.T) {
	account := &account{}
	scaling := scalingIn(t, account)
	for range 2 {
		all, err := scaling.Groups()
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		one := all[0]
		if one.Name != "gpu" || one.Max != 2 || one.GPUs != 4 || len(one.Taints) != 1 || len(one.Zones) != 2 {
			t.Errorf("%+v", one)
		}
	}
	// What EKS and EC2 say is asked once, and is no form of Auto Scaling's.
	want := []string{"DescribeAutoScalingGroups", "", "DescribeInstanceTypes", "DescribeAutoScalingGroups"}
	if !slices.Equal(account.asked, want) {
		t.Error(account.asked)
	}
}

func TestAGroupThatEKSMayNotTellOfHasNothingToFitInto(t *testing.T) {
	all, err := scalingIn(t, &account{denied: true}).Groups()
	if err != nil || len(all) != 1 || all[0].Name != "gpu" || !all[0].CPU.IsZero() {
		t.Error(all, err)
	}
}

func TestTheAutoscalerChangesGroupsByAutoScaling(t *testing.T) {
	account := &account{}
	scaling := scalingIn(t, account)
	if err := scaling.Resize("gpu", 2); err != nil {
		t.Error(err)
	}
	if err := scaling.Terminate(&corev1.Node{Spec: corev1.NodeSpec{ProviderID: "aws:///us-west-2b/i-1"}}); err != nil {
		t.Error(err)
	}
	if err := scaling.Resize("gone", 2); err == nil {
		t.Error("a group that there is not")
	}
	describe := "DescribeAutoScalingGroups"
	want := []string{describe, "SetDesiredCapacity 2", "TerminateInstanceInAutoScalingGroup i-1", describe}
	if !slices.Equal(account.asked, want) {
		t.Error(account.asked)
	}
}

func TestEachDiscoveryFlagIsASearchByItsTags(t *testing.T) {
	flags := []string{discovery + "k8s.io/a,k8s.io/b", "--cloud-provider=aws", discovery + "eks:nodegroup-name=gpu"}
	want := [][]string{{"k8s.io/a", "k8s.io/b"}, {"eks:nodegroup-name=gpu"}}
	if got := searchesIn(flags); !slices.EqualFunc(got, want, slices.Equal) {
		t.Error(got)
	}
	filtered := fields{
		"Filters.member.1.Name": "tag-key", "Filters.member.1.Values.member.1": "k8s.io/a",
		"Filters.member.2.Name": "tag:eks:nodegroup-name", "Filters.member.2.Values.member.1": "gpu",
	}
	if got := filters([]string{"k8s.io/a", "eks:nodegroup-name=gpu"}); !maps.Equal(got, filtered) {
		t.Error(got)
	}
}
