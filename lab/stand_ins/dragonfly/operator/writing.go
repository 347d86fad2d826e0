// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// refuse says in an event and in the condition Stalled why an object can't be had. Upstream's status has no place for it.
func (r *Reconciler) refuse(ctx context.Context, object *unstructured.Unstructured, why error) error {
	r.Events.Eventf(object, nil, corev1.EventTypeWarning, "Refused", "Reconcile", "%s", why.Error())
	return r.report(ctx, object, "", why)
}

func (r *Reconciler) report(ctx context.Context, object *unstructured.Unstructured, phase string, refusal error) error {
	status := map[string]any{"isRollingUpdate": phase == RollingUpdate}
	if phase != "" {
		status["phase"] = phase
	}
	if refusal != nil {
		stalled := metav1.Condition{
			Type: "Stalled", Status: metav1.ConditionTrue, Reason: "Refused", Message: refusal.Error(),
			ObservedGeneration: object.GetGeneration(), LastTransitionTime: since(object, refusal.Error()),
		}
		condition, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&stalled)
		if err != nil {
			return err
		}
		status["conditions"] = []any{condition}
	}
	said := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	said.SetGroupVersionKind(Kind)
	said.SetNamespace(object.GetNamespace())
	said.SetName(object.GetName())
	applied := client.ApplyConfigurationFromUnstructured(said)
	return client.IgnoreNotFound(r.Status().Apply(ctx, applied, fieldOwner, client.ForceOwnership))
}

// since is when a refusal was first said, so that saying it again changes nothing.
func since(object *unstructured.Unstructured, message string) metav1.Time {
	content, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	encoded, _ := json.Marshal(content)
	var conditions []metav1.Condition
	if json.Unmarshal(encoded, &conditions) == nil {
		if found := apimeta.FindStatusCondition(conditions, "Stalled"); found != nil && found.Message == message {
			return found.LastTransitionTime
		}
	}
	return metav1.Time{Time: time.Now().Truncate(time.Second)}
}

// apply applies one object as it is written, by server-side apply.
func (r *Reconciler) apply(ctx context.Context, object client.Object) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return err
	}
	delete(content, "status")
	wanted := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: content})
	return r.Apply(ctx, wanted, fieldOwner, client.ForceOwnership)
}

// label writes a pod's role, or takes it away.
func (r *Reconciler) label(ctx context.Context, namespace, name, role string) error {
	var value any
	if role != "" {
		value = role
	}
	change, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{roleLabel: value}}})
	if err != nil {
		return err
	}
	pod := &corev1.Pod{}
	pod.Namespace, pod.Name = namespace, name
	return client.IgnoreNotFound(r.Patch(ctx, pod, client.RawPatch(types.MergePatchType, change)))
}
