// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	fieldOwner = client.FieldOwner("dragonfly-operator")
	// A Redis that comes up or gets its data says so to nobody.
	soon = time.Second
	// Nor does one that goes away.
	later = 5 * time.Second
)

// Reconciler makes what is there what Dragonfly objects ask for.
type Reconciler struct {
	client.Client
	Events events.EventRecorder
	// The namespace that the operator is in.
	Namespace string
	// Replication tells and changes how the Redis of a pod replicates.
	Replication Replication
}

// SetUp lets the manager call the reconciler when a Dragonfly or something of it changes.
func (r *Reconciler) SetUp(manager ctrl.Manager) error {
	kind := &unstructured.Unstructured{}
	kind.SetGroupVersionKind(Kind)
	return ctrl.NewControllerManagedBy(manager).For(kind).
		Owns(&appsv1.StatefulSet{}, builder.MatchEveryOwner).Owns(&corev1.Service{}, builder.MatchEveryOwner).
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(dragonflyOf)).Complete(r)
}

func dragonflyOf(_ context.Context, pod client.Object) []reconcile.Request {
	if pod.GetLabels()[partOfLabel] != "dragonfly" {
		return nil
	}
	name := types.NamespacedName{Namespace: pod.GetNamespace(), Name: pod.GetLabels()["app"]}
	return []reconcile.Request{{NamespacedName: name}}
}

// Reconcile applies what belongs to a Dragonfly, takes one step and says in its status how far it is.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(Kind)
	if err := r.Get(ctx, request.NamespacedName, object); err != nil || object.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	dragonfly, err := Read(object)
	if err != nil {
		return ctrl.Result{}, r.refuse(ctx, object, err)
	}
	if err := r.layDown(ctx, object, dragonfly); err != nil {
		if apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) {
			return ctrl.Result{}, r.refuse(ctx, object, err)
		}
		return ctrl.Result{}, err
	}
	plan, err := r.plan(ctx, dragonfly)
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := r.take(ctx, dragonfly, plan); err != nil {
		return ctrl.Result{}, err
	}
	if plan.phase == Ready {
		return ctrl.Result{RequeueAfter: later}, r.report(ctx, object, plan.phase, nil)
	}
	return ctrl.Result{RequeueAfter: soon}, r.report(ctx, object, plan.phase, nil)
}

func (r *Reconciler) layDown(ctx context.Context, owner client.Object, dragonfly *Dragonfly) error {
	for _, object := range dragonfly.objects(r.Namespace) {
		if set, is := object.(*appsv1.StatefulSet); is {
			if err := r.keepClaims(ctx, owner, set); err != nil {
				return err
			}
		}
		if err := r.apply(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

// keepClaims leaves a StatefulSet's claims as they were made, as they can't be changed; upstream says so in an event.
func (r *Reconciler) keepClaims(ctx context.Context, owner client.Object, set *appsv1.StatefulSet) error {
	found := &appsv1.StatefulSet{}
	if err := r.Get(ctx, client.ObjectKeyFromObject(set), found); err != nil {
		return client.IgnoreNotFound(err)
	}
	if !equality.Semantic.DeepDerivative(set.Spec.VolumeClaimTemplates, found.Spec.VolumeClaimTemplates) {
		r.Events.Eventf(owner, set, corev1.EventTypeWarning, "ImmutableField", "Reconcile",
			"VolumeClaimTemplates change ignored: delete and recreate StatefulSet %s to apply it", set.Name)
	}
	set.Spec.VolumeClaimTemplates = found.Spec.VolumeClaimTemplates
	return nil
}

// plan looks at every pod and decides.
func (r *Reconciler) plan(ctx context.Context, dragonfly *Dragonfly) (step, error) {
	set := &appsv1.StatefulSet{}
	if err := r.Get(ctx, client.ObjectKeyFromObject(dragonfly.statefulSet()), set); err != nil {
		return step{phase: ResourcesCreated}, client.IgnoreNotFound(err)
	}
	pods := &corev1.PodList{}
	err := r.List(ctx, pods, client.InNamespace(dragonfly.Namespace), client.MatchingLabels(dragonfly.selector()))
	if err != nil {
		return step{}, err
	}
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	members := make([]member, len(pods.Items))
	for i, pod := range pods.Items {
		members[i] = r.look(ctx, &pod, set.Status.UpdateRevision)
		if err := r.openGate(ctx, dragonfly, &pod, members[i]); err != nil {
			return step{}, err
		}
	}
	return next(members, int(dragonfly.Spec.Replicas)), nil
}

func (r *Reconciler) look(ctx context.Context, pod *corev1.Pod, newest string) member {
	one := member{
		name:    pod.Name,
		ip:      pod.Status.PodIP,
		role:    pod.Labels[roleLabel],
		current: pod.Labels[appsv1.StatefulSetRevisionLabel] == newest,
	}
	if one.ip == "" || !healthy(pod) {
		return one
	}
	state, err := r.Replication.State(ctx, one.ip)
	one.answers = err == nil
	one.follows, one.synced, one.offset = state.Follows, state.Synced, state.Offset
	return one
}

// healthy tells whether upstream deals with a pod at all: its probes say that it is ready, whatever its gates say, and it stays.
func healthy(pod *corev1.Pod) bool {
	has := func(wanted corev1.PodConditionType) bool {
		return slices.ContainsFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
			return condition.Type == wanted && condition.Status == corev1.ConditionTrue
		})
	}
	stays := pod.DeletionTimestamp == nil && !has(corev1.DisruptionTarget)
	return stays && pod.Status.Phase == corev1.PodRunning && has(corev1.ContainersReady)
}

// openGate says that a pod has its data, which enableReplicationReadinessGate makes its readiness wait for.
func (r *Reconciler) openGate(ctx context.Context, dragonfly *Dragonfly, pod *corev1.Pod, one member) error {
	if !dragonfly.Spec.EnableReplicationReadinessGate || pod.DeletionTimestamp != nil {
		return nil
	}
	status := corev1.ConditionFalse
	if one.answers && (one.role == masterRole || one.role == replicaRole && one.synced) {
		status = corev1.ConditionTrue
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == readinessGate && condition.Status == status {
			return nil
		}
	}
	before := client.StrategicMergeFrom(pod.DeepCopy())
	pod.Status.Conditions = append(slices.DeleteFunc(pod.Status.Conditions, func(condition corev1.PodCondition) bool {
		return condition.Type == readinessGate
	}), corev1.PodCondition{Type: readinessGate, Status: status})
	return client.IgnoreNotFound(r.Status().Patch(ctx, pod, before))
}

// take does what was decided. A pod that is gone by then is found missing the next time.
func (r *Reconciler) take(ctx context.Context, dragonfly *Dragonfly, plan step) error {
	if plan.promote != "" {
		pod := &corev1.Pod{}
		if err := r.Get(ctx, types.NamespacedName{Namespace: dragonfly.Namespace, Name: plan.promote}, pod); err != nil {
			return client.IgnoreNotFound(err)
		}
		if err := r.Replication.Promote(ctx, pod.Status.PodIP); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plan.follow)) {
		pod := &corev1.Pod{}
		if err := r.Get(ctx, types.NamespacedName{Namespace: dragonfly.Namespace, Name: name}, pod); err != nil {
			return client.IgnoreNotFound(err)
		}
		if err := r.Replication.Follow(ctx, pod.Status.PodIP, plan.follow[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plan.label)) {
		if err := r.label(ctx, dragonfly.Namespace, name, plan.label[name]); err != nil {
			return err
		}
	}
	if plan.remove == "" {
		return nil
	}
	pod := &corev1.Pod{}
	pod.Namespace, pod.Name = dragonfly.Namespace, plan.remove
	return client.IgnoreNotFound(r.Delete(ctx, pod))
}
