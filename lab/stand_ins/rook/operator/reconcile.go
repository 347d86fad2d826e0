// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	group = "ceph.rook.io"
	// What an object waits for says so to nobody.
	soon = 2 * time.Second
	// Nor do buckets that are deleted, or nodes that come.
	later = 10 * time.Second
)

// errWaiting is for what needs something else first.
var errWaiting = errors.New("waiting for a CephCluster that is ready")

// keeper is what makes one kind different from the others.
type keeper interface {
	// settle makes what is there what an object asks for, and returns what its status has besides the phase.
	settle(ctx context.Context, object *unstructured.Unstructured) (map[string]any, error)
	// dependents are what keeps an object from being deleted, as `kind: [names]`; empty when there are none.
	dependents(ctx context.Context, object *unstructured.Unstructured) (string, error)
}

// Reconciler looks after the objects of one kind.
type Reconciler struct {
	client.Client
	events events.EventRecorder
	kind   schema.GroupVersionKind
	keeper keeper
}

// SetUp lets the manager call a reconciler for each of Ceph's kinds.
func SetUp(manager ctrl.Manager, namespace string) error {
	cluster := manager.GetClient()
	keepers := map[string]keeper{
		"CephCluster":     clusters{cluster, namespace},
		"CephBlockPool":   pools{cluster},
		"CephObjectStore": stores{cluster, bucketsOf(manager.GetAPIReader())},
	}
	for _, kind := range notHonoured {
		keepers[kind] = nothing{kind}
	}
	for kind, keeper := range keepers {
		reconciler := &Reconciler{
			Client: cluster, events: manager.GetEventRecorder("rook-ceph-operator"),
			kind: schema.GroupVersionKind{Group: group, Version: "v1", Kind: kind}, keeper: keeper,
		}
		if err := ctrl.NewControllerManagedBy(manager).For(empty(reconciler.kind)).Complete(reconciler); err != nil {
			return err
		}
	}
	return nil
}

func empty(kind schema.GroupVersionKind) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object
}

// Reconcile settles an object and says in its status how far it is.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := empty(r.kind)
	if err := r.Get(ctx, request.NamespacedName, object); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if object.GetDeletionTimestamp() != nil {
		return r.remove(ctx, object)
	}
	if controllerutil.AddFinalizer(object, finalizer(r.kind)) {
		return ctrl.Result{}, r.Update(ctx, object)
	}
	if phase, _, _ := unstructured.NestedString(object.Object, "status", "phase"); phase == "" {
		return ctrl.Result{}, r.report(ctx, object, progressing(nil))
	}
	status, err := r.keeper.settle(ctx, object)
	var why refusal
	switch {
	case errors.As(err, &why):
		return ctrl.Result{RequeueAfter: later}, r.refuse(ctx, object, why)
	case errors.Is(err, errWaiting):
		return ctrl.Result{RequeueAfter: soon}, r.report(ctx, object, progressing(object))
	case err != nil:
		return ctrl.Result{}, err
	}
	status["phase"], status["observedGeneration"] = phaseReady, object.GetGeneration()
	return ctrl.Result{}, r.report(ctx, object, status)
}

// remove lets an object go when nothing depends on it. What belongs to it goes with it.
func (r *Reconciler) remove(ctx context.Context, object *unstructured.Unstructured) (ctrl.Result, error) {
	dependents, err := r.keeper.dependents(ctx, object)
	if err != nil {
		return ctrl.Result{}, err
	}
	if dependents != "" {
		return ctrl.Result{RequeueAfter: later}, r.report(ctx, object, blocked(object, dependents))
	}
	if !controllerutil.RemoveFinalizer(object, finalizer(r.kind)) {
		return ctrl.Result{}, nil
	}
	return ctrl.Result{}, client.IgnoreNotFound(r.Update(ctx, object))
}
