// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package operator stands in for the Rook operator: it says of Ceph's objects what upstream says, and runs one S3 server for
// each object store.
//
// API: https://rook.io/docs/rook/v1.20/CRDs/specification/
package operator

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// ClusterSpec has upstream's names and meanings; nothing but Image, and how many monitors fit, makes a difference here.
type ClusterSpec struct {
	CephVersion     CephVersion    `json:"cephVersion"`
	DataDirHostPath string         `json:"dataDirHostPath"`
	Mon             Daemons        `json:"mon"`
	Mgr             Daemons        `json:"mgr"`
	Storage         map[string]any `json:"storage"`
	CephConfig      map[string]any `json:"cephConfig"`
}

type CephVersion struct {
	Image string `json:"image"`
}

type Daemons struct {
	Count                int  `json:"count"`
	AllowMultiplePerNode bool `json:"allowMultiplePerNode"`
}

// PoolSpec is a CephBlockPool's or one of a store's two.
type PoolSpec struct {
	Name          string     `json:"name"`
	FailureDomain string     `json:"failureDomain"`
	Replicated    Replicated `json:"replicated"`
}

type Replicated struct {
	Size                   int  `json:"size"`
	RequireSafeReplicaSize bool `json:"requireSafeReplicaSize"`
}

type StoreSpec struct {
	MetadataPool          PoolSpec `json:"metadataPool"`
	DataPool              PoolSpec `json:"dataPool"`
	PreservePoolsOnDelete bool     `json:"preservePoolsOnDelete"`
	Gateway               Gateway  `json:"gateway"`
}

type Gateway struct {
	Port      int32                       `json:"port"`
	Instances int32                       `json:"instances"`
	Resources corev1.ResourceRequirements `json:"resources"`
}

// refusal is why an object can't be had, for whoever wrote it.
type refusal string

func (why refusal) Error() string { return string(why) }

// read returns an object's spec. A field that Spec lacks is refused and not ignored.
func read[Spec any](object *unstructured.Unstructured) (*Spec, error) {
	content, _, err := unstructured.NestedMap(object.Object, "spec")
	if err != nil {
		return nil, refusal(err.Error())
	}
	spec := new(Spec)
	err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(content, spec, true)
	if strict, is := runtime.AsStrictDecodingError(err); is {
		return nil, refusal(fmt.Sprintf("spec: this stand-in for Rook doesn't have everything: %v", errors.Join(strict.Errors()...)))
	}
	if err != nil {
		return nil, refusal("spec: " + err.Error())
	}
	return spec, nil
}

func (pool PoolSpec) check(field string) error {
	if pool.Replicated.Size == 1 && pool.Replicated.RequireSafeReplicaSize {
		return refusal(field + ": error pool size is 1 and requireSafeReplicaSize is true, must be false")
	}
	return nil
}
