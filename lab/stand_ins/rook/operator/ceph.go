// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// notHonoured are upstream's other kinds, each object of which is refused.
var notHonoured = []string{
	"CephBlockPoolRadosNamespace", "CephBucketNotification", "CephBucketTopic", "CephClient", "CephFilesystem",
	"CephFilesystemMirror", "CephFilesystemSubVolumeGroup", "CephNFS", "CephObjectRealm", "CephObjectStoreUser",
	"CephObjectZone", "CephObjectZoneGroup", "CephRBDMirror",
}

// nothing refuses what this stand-in has nothing for.
type nothing struct{ kind string }

func (one nothing) settle(context.Context, *unstructured.Unstructured) (map[string]any, error) {
	return nil, refusal(one.kind + ": this stand-in for Rook doesn't have it")
}

func (nothing) dependents(context.Context, *unstructured.Unstructured) (string, error) {
	return "", nil
}

// clusters runs nothing of Ceph: what a CephCluster asks for is checked and said to be there.
type clusters struct {
	client.Client
	// The operator's, which is the only one that its chart lets it work in.
	namespace string
}

func (keeper clusters) settle(ctx context.Context, object *unstructured.Unstructured) (map[string]any, error) {
	if object.GetNamespace() != keeper.namespace {
		return nil, refusal("namespace: this stand-in for Rook serves its own namespace " + keeper.namespace + " only")
	}
	spec, err := read[ClusterSpec](object)
	if err != nil {
		return nil, err
	}
	if err := keeper.fits(ctx, spec.Mon); err != nil {
		return nil, err
	}
	const message = "Cluster created successfully"
	return map[string]any{
		"state":      "Created",
		"message":    message,
		"conditions": []any{condition(object, phaseReady, "ClusterCreated", message)},
		"ceph":       map[string]any{"health": "HEALTH_OK"},
		"version":    map[string]any{"image": spec.CephVersion.Image, "version": versionOf(spec.CephVersion.Image)},
	}, nil
}

// fits is upstream's check that each monitor has a node of its own.
func (keeper clusters) fits(ctx context.Context, monitors Daemons) error {
	if monitors.AllowMultiplePerNode {
		return nil
	}
	nodes := &corev1.NodeList{}
	if err := keeper.List(ctx, nodes); err != nil {
		return err
	}
	if monitors.Count > len(nodes.Items) {
		return refusal(fmt.Sprintf("cannot start %d mons on %d node(s) when allowMultiplePerNode is false",
			monitors.Count, len(nodes.Items)))
	}
	return nil
}

func (keeper clusters) dependents(ctx context.Context, object *unstructured.Unstructured) (string, error) {
	var found []string
	for _, kind := range []string{"CephBlockPool", "CephObjectStore"} {
		names, err := names(ctx, keeper, kind, object.GetNamespace())
		if err != nil {
			return "", err
		}
		if len(names) > 0 {
			found = append(found, fmt.Sprintf("%s: %v", kind, names))
		}
	}
	return strings.Join(found, ", "), nil
}

func names(ctx context.Context, cluster client.Reader, kind, namespace string) ([]string, error) {
	list, err := listed(ctx, cluster, kind, namespace)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.GetName())
	}
	return names, nil
}

func listed(ctx context.Context, cluster client.Reader, kind, namespace string) (*unstructured.UnstructuredList, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind + "List"})
	return list, cluster.List(ctx, list, client.InNamespace(namespace))
}

// versionOf is a tag such as v20.2.4 as Ceph says it.
func versionOf(image string) string {
	_, tag, _ := strings.Cut(image[strings.LastIndex(image, "/")+1:], ":")
	return strings.TrimPrefix(tag, "v") + "-0"
}

// readyCluster returns the CephCluster of a namespace when it is ready.
func readyCluster(ctx context.Context, cluster client.Reader, namespace string) (*unstructured.Unstructured, error) {
	list, err := listed(ctx, cluster, "CephCluster", namespace)
	if err != nil {
		return nil, err
	}
	for _, item := range list.Items {
		if phase, _, _ := unstructured.NestedString(item.Object, "status", "phase"); phase == phaseReady {
			return &item, nil
		}
	}
	return nil, errWaiting
}

// pools holds nothing: a pool is checked and said to be there.
type pools struct{ client.Client }

func (keeper pools) settle(ctx context.Context, object *unstructured.Unstructured) (map[string]any, error) {
	spec, err := read[PoolSpec](object)
	if err != nil {
		return nil, err
	}
	if err := spec.check("spec"); err != nil {
		return nil, err
	}
	if _, err := readyCluster(ctx, keeper, object.GetNamespace()); err != nil {
		return nil, err
	}
	domain := spec.FailureDomain
	if domain == "" {
		domain = "host"
	}
	return map[string]any{"info": map[string]any{"type": "Replicated", "failureDomain": domain}}, nil
}

func (pools) dependents(context.Context, *unstructured.Unstructured) (string, error) { return "", nil }
