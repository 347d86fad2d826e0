// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Phases as upstream writes them.
const (
	phaseProgressing = "Progressing"
	phaseReady       = "Ready"
	phaseFailure     = "Failure"
	phaseDeleting    = "Deleting"
)

// finalizer is upstream's, as cephcluster.ceph.rook.io.
func finalizer(kind schema.GroupVersionKind) string {
	return strings.ToLower(kind.Kind) + "." + group
}

// progressing is the status of an object that waits. What was observed before stays.
func progressing(object *unstructured.Unstructured) map[string]any {
	status := map[string]any{"phase": phaseProgressing}
	if object == nil {
		return status
	}
	if observed, found, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration"); found {
		status["observedGeneration"] = observed
	}
	return status
}

// blocked is the status of an object that is to go and can't yet.
func blocked(object *unstructured.Unstructured, dependents string) map[string]any {
	message := fmt.Sprintf("%s %q will not be deleted until all dependents are removed: %s",
		object.GetKind(), client.ObjectKeyFromObject(object).String(), dependents)
	before, _, _ := unstructured.NestedMap(object.Object, "status")
	status := map[string]any{}
	maps.Copy(status, before)
	status["phase"] = phaseDeleting
	status["conditions"] = []any{condition(object, "DeletionIsBlocked", "ObjectHasDependents", message)}
	return status
}

// condition is one that is true, since it first said so.
func condition(object *unstructured.Unstructured, kind, reason, message string) map[string]any {
	now := time.Now().UTC().Format(time.RFC3339)
	made := map[string]any{
		"type": kind, "status": "True", "reason": reason, "message": message,
		"lastTransitionTime": now, "lastHeartbeatTime": now,
	}
	before, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, one := range before {
		if one, is := one.(map[string]any); is && one["type"] == kind && one["message"] == message {
			return one
		}
	}
	return made
}

// refuse says why an object can't be had in an event, as upstream does, and in a condition, as upstream does not.
func (r *Reconciler) refuse(ctx context.Context, object *unstructured.Unstructured, why refusal) error {
	failure := condition(object, phaseFailure, "ReconcileFailed", why.Error())
	status := map[string]any{"phase": phaseFailure, "conditions": []any{failure}}
	if equality.Semantic.DeepEqual(object.Object["status"], status) {
		return nil
	}
	r.events.Eventf(object, nil, corev1.EventTypeWarning, "ReconcileFailed", "ReconcileFailed",
		"failed to reconcile %s %q. %s", object.GetKind(), client.ObjectKeyFromObject(object).String(), why)
	return r.report(ctx, object, status)
}

func (r *Reconciler) report(ctx context.Context, object *unstructured.Unstructured, status map[string]any) error {
	if equality.Semantic.DeepEqual(object.Object["status"], status) {
		return nil
	}
	object.Object["status"] = status
	return client.IgnoreNotFound(r.Status().Update(ctx, object))
}
