// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/yaml"
)

// As the collection's role writes them.
const (
	cluster = `
apiVersion: ceph.rook.io/v1
kind: CephCluster
metadata: {name: rook-ceph, namespace: rook-ceph, uid: some, generation: 3}
spec:
  cephVersion: {image: "quay.io/ceph/ceph:v20.2.4"}
  dataDirHostPath: /var/lib/rook
  mon: {count: 1, allowMultiplePerNode: true}
  mgr: {count: 1, allowMultiplePerNode: true}
  storage: {useAllNodes: true, useAllDevices: false, deviceFilter: ^sdb$}
  cephConfig:
    global: {osd_pool_default_size: "1"}
`
	pool = `
apiVersion: ceph.rook.io/v1
kind: CephBlockPool
metadata: {name: builtin-mgr, namespace: rook-ceph}
spec:
  name: .mgr
  replicated: {size: 1, requireSafeReplicaSize: false}
`
	store = `
apiVersion: ceph.rook.io/v1
kind: CephObjectStore
metadata: {name: media, namespace: rook-ceph, uid: some}
spec:
  metadataPool: {failureDomain: osd, replicated: {size: 1, requireSafeReplicaSize: false}}
  dataPool: {failureDomain: osd, replicated: {size: 1, requireSafeReplicaSize: false}}
  preservePoolsOnDelete: true
  gateway: {port: 80, instances: 1}
`
)

func given(t *testing.T, text string, change ...any) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	if len(change) > 0 {
		path := []string{}
		for _, name := range change[:len(change)-1] {
			path = append(path, name.(string))
		}
		if err := unstructured.SetNestedField(object.Object, change[len(change)-1], path...); err != nil {
			t.Fatal(err)
		}
	}
	return object
}

// kept is a reconciler over a cluster that has these objects, and the number of reconciliations until nothing is left to do.
func kept(t *testing.T, object *unstructured.Unstructured, make func(client.Client) keeper, others ...client.Object) *Reconciler {
	t.Helper()
	there := fake.NewClientBuilder().WithScheme(scheme.Scheme).WithObjects(append(others, object)...).
		WithStatusSubresource(object).Build()
	return &Reconciler{Client: there, events: events.NewFakeRecorder(9), kind: object.GroupVersionKind(), keeper: make(there)}
}

// settled reconciles an object three times: for its finalizer, its first phase and what comes of it.
func settled(t *testing.T, r *Reconciler, object client.Object) *unstructured.Unstructured {
	t.Helper()
	key := client.ObjectKeyFromObject(object)
	for range 3 {
		if _, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: key}); err != nil {
			t.Fatal(err)
		}
	}
	found := empty(r.kind)
	if err := r.Get(context.Background(), key, found); err != nil {
		t.Fatal(err)
	}
	return found
}

func status(t *testing.T, object *unstructured.Unstructured, path ...string) any {
	t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(object.Object, append([]string{"status"}, path...)...)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func message(object *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	if len(conditions) == 0 {
		return ""
	}
	return conditions[0].(map[string]any)["message"].(string)
}

func inNamespace(there client.Client) keeper { return clusters{there, "rook-ceph"} }

func TestAClusterIsReadyAsUpstreamSaysIt(t *testing.T) {
	object := given(t, cluster)
	found := settled(t, kept(t, object, inNamespace), object)
	for path, want := range map[string]any{
		"phase": phaseReady, "state": "Created", "message": "Cluster created successfully", "observedGeneration": int64(3),
		"version/version": "20.2.4-0", "ceph/health": "HEALTH_OK",
	} {
		if got := status(t, found, strings.Split(path, "/")...); got != want {
			t.Errorf("%s: got %v; want %v", path, got, want)
		}
	}
	if found.GetFinalizers()[0] != "cephcluster.ceph.rook.io" || message(found) != "Cluster created successfully" {
		t.Errorf("got %v", found.Object)
	}
}

func TestMonitorsWantNodes(t *testing.T) {
	object := given(t, cluster, "spec", "mon", map[string]any{"count": int64(3), "allowMultiplePerNode": false})
	found := settled(t, kept(t, object, inNamespace, &corev1.Node{}), object)
	if status(t, found, "phase") != phaseFailure || message(found) != "cannot start 3 mons on 1 node(s) when allowMultiplePerNode is false" {
		t.Errorf("got %v", status(t, found))
	}
}

func TestRefused(t *testing.T) {
	makePool := func(there client.Client) keeper { return pools{there} }
	makeStore := func(there client.Client) keeper { return stores{Client: there} }
	for name, one := range map[string]struct {
		text   string
		keeper func(client.Client) keeper
		change []any
		want   string
	}{
		"another namespace":  {cluster, inNamespace, []any{"metadata", "namespace", "elsewhere"}, "namespace: this stand-in for Rook serves its own namespace rook-ceph only"},
		"an outside cluster": {cluster, inNamespace, []any{"spec", "external", "enable", true}, `spec: this stand-in for Rook doesn't have everything: unknown field "external"`},
		"erasure coding":     {pool, makePool, []any{"spec", "erasureCoded", "dataChunks", int64(2)}, `spec: this stand-in for Rook doesn't have everything: unknown field "erasureCoded"`},
		"one unsafe copy":    {pool, makePool, []any{"spec", "replicated", "requireSafeReplicaSize", true}, "spec: error pool size is 1 and requireSafeReplicaSize is true, must be false"},
		"TLS":                {store, makeStore, []any{"spec", "gateway", "securePort", int64(443)}, `spec: this stand-in for Rook doesn't have everything: unknown field "gateway.securePort"`},
		"two gateways":       {store, makeStore, []any{"spec", "gateway", "instances", int64(2)}, "spec.gateway.instances: this stand-in for Rook runs one, as its data lies on one volume"},
		"no port":            {store, makeStore, []any{"spec", "gateway", "port", int64(0)}, "spec.gateway.port: this stand-in for Rook needs one"},
		"a user":             {strings.ReplaceAll(pool, "CephBlockPool", "CephObjectStoreUser"), func(client.Client) keeper { return nothing{"CephObjectStoreUser"} }, nil, "CephObjectStoreUser: this stand-in for Rook doesn't have it"},
	} {
		object := given(t, one.text, one.change...)
		if found := settled(t, kept(t, object, one.keeper), object); status(t, found, "phase") != phaseFailure || message(found) != one.want {
			t.Errorf("%s: got %v; want %s", name, status(t, found), one.want)
		}
	}
}

func TestPoolsAndStoresWaitForACluster(t *testing.T) {
	ready := given(t, cluster, "status", "phase", phaseReady)
	object := given(t, pool)
	makePool := func(there client.Client) keeper { return pools{there} }
	if found := settled(t, kept(t, object, makePool), object); status(t, found, "phase") != phaseProgressing {
		t.Errorf("without: got %v", status(t, found))
	}
	if found := settled(t, kept(t, object, makePool, ready), object); status(t, found, "phase") != phaseReady {
		t.Errorf("with: got %v", status(t, found))
	}
	_, err := stores{Client: kept(t, object, makePool).Client}.settle(context.Background(), given(t, store))
	if !errors.Is(err, errWaiting) {
		t.Errorf("got %v", err)
	}
}

func TestAStoreWithBucketsStays(t *testing.T) {
	object := given(t, store)
	object.SetFinalizers([]string{"cephobjectstore.ceph.rook.io"})
	buckets := []string{"mastodon"}
	r := kept(t, object, func(there client.Client) keeper {
		return stores{there, func(context.Context, types.NamespacedName) ([]string, error) { return buckets, nil }}
	})
	if err := r.Delete(context.Background(), object); err != nil {
		t.Fatal(err)
	}
	found := settled(t, r, object)
	want := `CephObjectStore "rook-ceph/media" will not be deleted until all dependents are removed: ` +
		"buckets in the object store (could be from ObjectBucketClaims or COSI Buckets): [mastodon]"
	if status(t, found, "phase") != phaseDeleting || message(found) != want {
		t.Errorf("got %v", status(t, found))
	}
	buckets = nil
	if _, err := r.Reconcile(context.Background(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(object)}); err != nil {
		t.Fatal(err)
	}
	if err := r.Get(context.Background(), client.ObjectKeyFromObject(object), found); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAClusterWithAStoreStays(t *testing.T) {
	object := given(t, cluster)
	object.SetFinalizers([]string{"cephcluster.ceph.rook.io"})
	r := kept(t, object, inNamespace, given(t, store), given(t, pool))
	if err := r.Delete(context.Background(), object); err != nil {
		t.Fatal(err)
	}
	found := settled(t, r, object)
	if want := "CephBlockPool: [builtin-mgr], CephObjectStore: [media]"; !strings.HasSuffix(message(found), want) {
		t.Errorf("got %s; want %s", message(found), want)
	}
}

func TestTheGatewayIsUpstreamsByName(t *testing.T) {
	object := given(t, store)
	spec, err := readStore(object)
	if err != nil {
		t.Fatal(err)
	}
	made := objectStore{object, spec, "quay.io/ceph/ceph:v20.2.4"}
	service, deployment := made.service(), made.deployment()
	if service.Name != "rook-ceph-rgw-media" || service.Spec.Ports[0].Port != 80 || deployment.Name != "rook-ceph-rgw-media-a" {
		t.Errorf("got %v, %v", service, deployment.Name)
	}
	pod := deployment.Spec.Template
	if pod.Spec.Containers[0].Image != "quay.io/ceph/ceph:v20.2.4" || pod.Labels[standInLabel] != "true" {
		t.Errorf("got %v", pod)
	}
	if owners := made.claim().OwnerReferences; owners != nil {
		t.Errorf("the data would go with the store: %v", owners)
	}
	spec.PreservePoolsOnDelete = false
	if len(made.claim().OwnerReferences) != 1 {
		t.Error("the data would stay")
	}
}
