// Package groups is what the cloud knows of node groups, in one JSON file: it says which nodes there are. Whoever plays the cloud writes it;
// the kubelet reads it, and the autoscaler changes what an autoscaler may change.
package groups

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// A Group is a managed node group, as EKS describes it, with what its instance type has.
type Group struct {
	Name         string `json:"name"`
	InstanceType string `json:"instance_type"`
	Desired      int    `json:"desired"`
	Min          int    `json:"min"`
	Max          int    `json:"max"`
	// The instances, if there is an EC2 that tells them. Otherwise there are as many as desired.
	Launched []Instance `json:"launched,omitempty"`
	// Those of the others that were terminated. Their names do not come back, as little as the ids of EC2 do.
	Gone []string `json:"gone,omitempty"`

	CPU              resource.Quantity `json:"cpu"`
	Memory           resource.Quantity `json:"memory"`
	EphemeralStorage resource.Quantity `json:"ephemeral_storage,omitzero"`
	GPUs             int64             `json:"gpus,omitempty"`
	// As Kubernetes calls it: amd64 if it is not said.
	Architecture string `json:"architecture,omitempty"`
	// How many pods the instance type has addresses for.
	Pods int64 `json:"pods,omitempty"`

	Labels map[string]string `json:"labels,omitempty"`
	Taints []corev1.Taint    `json:"taints,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
	Zones  []string          `json:"zones"`

	// From the launch of an instance until its node joins, and from there until its device plugin reports the GPUs.
	BootSeconds float64 `json:"boot_seconds,omitempty"`
	GPUSeconds  float64 `json:"gpu_seconds,omitempty"`
}

// An Instance is a machine of a group. Its name is that of the node on it.
type Instance struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	Zone string `json:"zone"`
}

// Instances are those of the group, oldest first.
func (g Group) Instances() []Instance {
	if g.Launched != nil {
		return g.Launched
	}
	var all []Instance
	for number := 0; len(all) < g.Desired; number++ {
		if name := fmt.Sprintf("%s-%d", g.Name, number); !slices.Contains(g.Gone, name) {
			all = append(all, Instance{Name: name, ID: instanceID(name), Zone: g.Zones[len(all)%len(g.Zones)]})
		}
	}
	return all
}

// A File holds all groups.
type File string

// Read gives the groups; there are none as long as there is no file. A field that nobody knows is an error, so that a misspelt one is seen.
func (f File) Read() ([]Group, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Group
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		return nil, fmt.Errorf("%s: %w", f, err)
	}
	return all, nil
}

// Resize sets how many nodes a group is to have.
func (f File) Resize(group string, desired int) error {
	return f.change(group, func(g *Group) error {
		if desired < g.Min || desired > g.Max {
			return fmt.Errorf("%s cannot have %d nodes: it has %d to %d", group, desired, g.Min, g.Max)
		}
		g.Desired = desired
		return nil
	})
}

// Terminate takes one node of a group away, and no other comes for it.
func (f File) Terminate(group, node string) error {
	return f.change(group, func(g *Group) error {
		if !slices.ContainsFunc(g.Instances(), func(instance Instance) bool { return instance.Name == node }) {
			return fmt.Errorf("%s has no node %s", group, node)
		}
		g.Desired--
		g.Gone = append(g.Gone, node)
		return nil
	})
}

// Readers see the old file or the new one; writers wait for each other.
func (f File) change(group string, edit func(*Group) error) error {
	lock, err := os.OpenFile(string(f)+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	all, err := f.Read()
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(g Group) bool { return g.Name == group })
	if at < 0 {
		return fmt.Errorf("%s has no group %s", f, group)
	}
	if err := edit(&all[at]); err != nil {
		return err
	}
	return f.Write(all)
}

// Write replaces all groups.
func (f File) Write(all []Group) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	next := string(f) + ".next"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, string(f))
}
