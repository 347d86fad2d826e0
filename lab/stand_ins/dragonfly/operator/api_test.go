// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// As the collection's role writes it.
const written = `
apiVersion: dragonflydb.io/v1alpha1
kind: Dragonfly
metadata: {name: mastodon-redis, namespace: mastodon, uid: some}
spec:
  replicas: 1
  image: docker.dragonflydb.io/dragonflydb/dragonfly:v1.39.0
  imagePullPolicy: IfNotPresent
  args: [--default_lua_flags=allow-undeclared-keys, --proactor_threads=1, --cache_mode=false]
  authentication:
    passwordFromSecret: {name: mastodon-redis, key: password}
  resources:
    limits: {memory: 512Mi}
  snapshot:
    cron: "*/5 * * * *"
    persistentVolumeClaimSpec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 2Gi}}
`

func given(t *testing.T, text string, change ...any) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	if len(change) > 0 {
		path := []string{"spec"}
		for _, name := range change[:len(change)-1] {
			path = append(path, name.(string))
		}
		if err := unstructured.SetNestedField(object.Object, change[len(change)-1], path...); err != nil {
			t.Fatal(err)
		}
	}
	return object
}

func read(t *testing.T, change ...any) *Dragonfly {
	t.Helper()
	dragonfly, err := Read(given(t, written, change...))
	if err != nil {
		t.Fatal(err)
	}
	return dragonfly
}

func object[T any](t *testing.T, dragonfly *Dragonfly) T {
	t.Helper()
	for _, object := range dragonfly.objects("dragonfly-operator-system") {
		if found, is := object.(T); is {
			return found
		}
	}
	t.Fatal("no such object")
	panic("unreachable")
}

func TestTheStatefulSetIsUpstreams(t *testing.T) {
	set := object[*appsv1.StatefulSet](t, read(t))
	pod := set.Spec.Template
	container := pod.Spec.Containers[0]
	if set.Name != "mastodon-redis" || set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		t.Errorf("got %s, %s", set.Name, set.Spec.UpdateStrategy.Type)
	}
	if set.OwnerReferences[0].Kind != "Dragonfly" || set.OwnerReferences[0].Controller != nil || pod.Labels["app"] != "mastodon-redis" || pod.Labels[standInLabel] != "true" {
		t.Errorf("got %v, %v", set.OwnerReferences, pod.Labels)
	}
	for _, argument := range []string{"--admin_nopass", "--proactor_threads=1", "--dir=/dragonfly/snapshots", "--snapshot_cron=*/5 * * * *"} {
		if !slices.Contains(container.Args, argument) {
			t.Errorf("no %s in %v", argument, container.Args)
		}
	}
	if health, password := container.Env[0], container.Env[1]; health.Name != "HEALTHCHECK_PORT" || health.Value != "9999" ||
		password.Name != "DFLY_requirepass" || password.ValueFrom.SecretKeyRef.Key != "password" {
		t.Errorf("got %+v", container.Env)
	}
	for _, probe := range []*corev1.Probe{container.ReadinessProbe, container.LivenessProbe} {
		if probe.InitialDelaySeconds != 10 || probe.PeriodSeconds != 10 {
			t.Errorf("got %+v", probe)
		}
	}
	if set.Spec.VolumeClaimTemplates[0].Name != "df" || container.VolumeMounts[0].MountPath != "/dragonfly/snapshots" {
		t.Errorf("got %+v", container.VolumeMounts)
	}
	if *pod.Spec.SecurityContext.FSGroup != 999 || container.Resources.Limits.Memory().String() != "512Mi" {
		t.Errorf("got %+v", pod.Spec)
	}
}

func TestTheServiceLeadsToTheMaster(t *testing.T) {
	service := object[*corev1.Service](t, read(t))
	if service.Name != "mastodon-redis" || service.Spec.Selector["role"] != "master" || service.Spec.Ports[0].Port != 6379 {
		t.Errorf("got %+v", service)
	}
	if named := object[*corev1.Service](t, read(t, "serviceSpec", "name", "cache")); named.Name != "cache" {
		t.Errorf("got %s", named.Name)
	}
}

func TestOnlyItsOperatorAndItsOwnReachTheAdminPort(t *testing.T) {
	admin := object[*networkingv1.NetworkPolicy](t, read(t)).Spec.Ingress[1]
	if admin.Ports[0].Port.IntValue() != 9999 || len(admin.From) != 2 {
		t.Fatalf("got %+v", admin)
	}
	operator := admin.From[0]
	if operator.NamespaceSelector.MatchLabels[corev1.LabelMetadataName] != "dragonfly-operator-system" ||
		operator.PodSelector.MatchLabels["control-plane"] != "controller-manager" {
		t.Errorf("got %+v", operator)
	}
}

func TestWhatComesWithReplicasAndNetworkPolicies(t *testing.T) {
	kinds := func(dragonfly *Dragonfly) (budget, policy bool) {
		for _, object := range dragonfly.objects("dragonfly-operator-system") {
			switch object.(type) {
			case *policyv1.PodDisruptionBudget:
				budget = true
			case *networkingv1.NetworkPolicy:
				policy = true
			}
		}
		return budget, policy
	}
	if budget, policy := kinds(read(t)); budget || !policy {
		t.Errorf("one replica: got %t, %t", budget, policy)
	}
	if budget, _ := kinds(read(t, "replicas", int64(2))); !budget {
		t.Error("two replicas have no disruption budget")
	}
	if _, policy := kinds(read(t, "networkPolicyEnabled", false)); policy {
		t.Error("there is a network policy")
	}
	gated := object[*appsv1.StatefulSet](t, read(t, "enableReplicationReadinessGate", true))
	if gated.Spec.Template.Spec.ReadinessGates[0].ConditionType != readinessGate {
		t.Error("there is no readiness gate")
	}
}

func TestItsOwnStatusIsNoObstacle(t *testing.T) {
	object := given(t, written)
	object.Object["status"] = map[string]any{"phase": "Ready"}
	if _, err := Read(object); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	for name, one := range map[string]struct {
		change []any
		want   string
	}{
		"TLS":         {[]any{"tlsSecretRef", "name", "x"}, "spec.tlsSecretRef: this stand-in for the Dragonfly operator doesn't have it"},
		"client CA":   {[]any{"authentication", "clientCaCertSecret", "key", "x"}, "spec.authentication.clientCaCertSecret: this stand-in for the Dragonfly operator doesn't have it"},
		"an argument": {[]any{"args", []any{"--cluster_mode=emulated"}}, "spec.args: flag not known here: --cluster_mode"},
		"two volumes": {[]any{"snapshot", "existingPersistentVolumeClaimName", "x"}, "persistentVolumeClaimSpec and existingPersistentVolumeClaimName are mutually exclusive"},
		"no volume":   {[]any{"snapshot", map[string]any{"cron": "* * * * *"}}, "cron specified without a persistent volume claim"},
		"S3":          {[]any{"snapshot", map[string]any{"dir": "s3://bucket"}}, "spec.args: --dir=s3://bucket: Redis keeps snapshots on a volume only"},
		"a schedule":  {[]any{"snapshot", "cron", "0 0 3 * * *"}, "spec.args: --snapshot_cron=0 0 3 * * *: expected exactly 5 fields, found 6: [0 0 3 * * *]"},
		"label app":   {[]any{"labels", "app", "mine"}, `spec.labels: cannot override operator-managed label "app"`},
		"part of":     {[]any{"labels", "app.kubernetes.io/part-of", "x"}, `spec.labels: cannot override operator-managed label "app.kubernetes.io/part-of"`},
		"version":     {[]any{"serviceSpec", "labels", map[string]any{"app.kubernetes.io/version": "1"}}, `spec.serviceSpec.labels: cannot override operator-managed label "app.kubernetes.io/version"`},
		"a typo":      {[]any{"resources", "limit", map[string]any{"memory": "1Gi"}}, `spec: strict decoding error: unknown field "spec.resources.limit"`},
		"label role":  {[]any{"labels", "role", "master"}, `spec.labels: cannot override operator-managed label "role"`},
	} {
		if _, err := Read(given(t, written, one.change...)); err == nil || err.Error() != one.want {
			t.Errorf("%s: got %v; want %s", name, err, one.want)
		}
	}
	if _, err := Read(given(t, written, "resources", "limits", "many")); err == nil {
		t.Error("limits of no form are taken")
	}
}
