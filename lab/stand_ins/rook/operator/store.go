// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"lab/stand-ins/rook/rgw"
)

const fieldOwner = client.FieldOwner("rook-ceph-operator")

// stores runs an S3 server for each CephObjectStore.
type stores struct {
	client.Client
	// What a store has; replaced in tests.
	buckets func(context.Context, types.NamespacedName) ([]string, error)
}

// bucketsOf asks a store's gateway. A store that never got one has no buckets.
func bucketsOf(cluster client.Reader) func(context.Context, types.NamespacedName) ([]string, error) {
	return func(ctx context.Context, store types.NamespacedName) ([]string, error) {
		gateway, err := rgw.Find(ctx, cluster, store)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		buckets, err := gateway.Buckets(ctx)
		var names []string
		for _, bucket := range buckets {
			names = append(names, bucket.Name)
		}
		return names, err
	}
}

func (keeper stores) settle(ctx context.Context, object *unstructured.Unstructured) (map[string]any, error) {
	spec, err := readStore(object)
	if err != nil {
		return nil, err
	}
	cluster, err := readyCluster(ctx, keeper, object.GetNamespace())
	if err != nil {
		return nil, err
	}
	image, _, _ := unstructured.NestedString(cluster.Object, "spec", "cephVersion", "image")
	store := objectStore{Unstructured: object, spec: spec, image: image}
	if err := keeper.makeKeys(ctx, store); err != nil {
		return nil, err
	}
	for _, wanted := range store.objects() {
		if err := keeper.apply(ctx, wanted); err != nil {
			return nil, err
		}
	}
	endpoint := fmt.Sprintf("http://%s:%d", rgw.Host(client.ObjectKeyFromObject(object)), spec.Gateway.Port)
	return map[string]any{
		"info":      map[string]any{"endpoint": endpoint},
		"endpoints": map[string]any{"insecure": []any{endpoint}, "secure": []any{}},
		"replicas":  int64(spec.Gateway.Instances),
		"selector":  metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: store.selector()}),
	}, nil
}

// readStore returns what a CephObjectStore asks for, or why that can't be had here.
func readStore(object *unstructured.Unstructured) (*StoreSpec, error) {
	spec, err := read[StoreSpec](object)
	if err != nil {
		return nil, err
	}
	if err := spec.MetadataPool.check("spec.metadataPool"); err != nil {
		return nil, err
	}
	if err := spec.DataPool.check("spec.dataPool"); err != nil {
		return nil, err
	}
	switch {
	case spec.Gateway.Port == 0:
		return nil, refusal("spec.gateway.port: this stand-in for Rook needs one")
	case spec.Gateway.Instances != 1:
		return nil, refusal("spec.gateway.instances: this stand-in for Rook runs one, as its data lies on one volume")
	}
	return spec, nil
}

// makeKeys gives a gateway its administrator, once.
func (keeper stores) makeKeys(ctx context.Context, store objectStore) error {
	keyring := store.keyring()
	err := keeper.Get(ctx, client.ObjectKeyFromObject(keyring), &corev1.Secret{})
	if apierrors.IsNotFound(err) {
		return keeper.Create(ctx, keyring)
	}
	return err
}

// apply applies one object as it is written, by server-side apply.
func (keeper stores) apply(ctx context.Context, object client.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	delete(content, "status")
	wanted := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content})
	return keeper.Apply(ctx, wanted, fieldOwner, client.ForceOwnership)
}

func (keeper stores) dependents(ctx context.Context, object *unstructured.Unstructured) (string, error) {
	buckets, err := keeper.buckets(ctx, client.ObjectKeyFromObject(object))
	if err != nil || len(buckets) == 0 {
		return "", err
	}
	return fmt.Sprintf("buckets in the object store (could be from ObjectBucketClaims or COSI Buckets): %v", buckets), nil
}
