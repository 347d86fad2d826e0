// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"maps"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"lab/stand-ins/dragonfly/snapshots"
)

const (
	// The Dragonfly that comes with this operator.
	defaultVersion = "v1.39.0"
	DefaultImage   = "docker.dragonflydb.io/dragonflydb/dragonfly:" + defaultVersion

	standInLabel  = "fediverse.mastodon/stand-in"
	nameLabel     = "app.kubernetes.io/name"
	partOfLabel   = "app.kubernetes.io/part-of"
	roleLabel     = "role"
	masterRole    = "master"
	replicaRole   = "replica"
	readinessGate = "dragonflydb.io/replication-ready"

	port        = 6379
	adminPort   = 9999
	snapshotDir = "/dragonfly/snapshots"
	volume      = "df"
	group       = int64(999)
)

// objects are what upstream makes of a Dragonfly, in the order in which they are applied.
func (dragonfly *Dragonfly) objects(operatorNamespace string) []client.Object {
	objects := []client.Object{dragonfly.service(), dragonfly.statefulSet()}
	if dragonfly.Spec.Replicas > 1 {
		objects = append(objects, dragonfly.disruptionBudget())
	}
	if ptr.Deref(dragonfly.Spec.NetworkPolicyEnabled, true) {
		objects = append(objects, dragonfly.networkPolicy(operatorNamespace))
	}
	return objects
}

func (dragonfly *Dragonfly) statefulSet() *appsv1.StatefulSet {
	set := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: dragonfly.owned(dragonfly.Name),
		Spec: appsv1.StatefulSetSpec{
			Replicas:       &dragonfly.Spec.Replicas,
			ServiceName:    dragonfly.Name,
			Selector:       &metav1.LabelSelector{MatchLabels: dragonfly.selector()},
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: merged(dragonfly.Spec.Labels, dragonfly.podLabels()), Annotations: dragonfly.Spec.Annotations},
				Spec:       dragonfly.pod(),
			},
		},
	}
	if spec := dragonfly.Spec.Snapshot.PersistentVolumeClaimSpec; spec != nil {
		set.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{{
			ObjectMeta: metav1.ObjectMeta{Name: volume, Labels: dragonfly.selector()},
			Spec:       *spec,
		}}
	}
	return set
}

func (dragonfly *Dragonfly) pod() corev1.PodSpec {
	spec := dragonfly.Spec
	pod := corev1.PodSpec{
		Containers:                []corev1.Container{dragonfly.container()},
		ImagePullSecrets:          spec.ImagePullSecrets,
		ServiceAccountName:        spec.ServiceAccountName,
		PriorityClassName:         spec.PriorityClassName,
		Affinity:                  spec.Affinity,
		NodeSelector:              spec.NodeSelector,
		Tolerations:               spec.Tolerations,
		TopologySpreadConstraints: spec.TopologySpreadConstraints,
		SecurityContext:           spec.PodSecurityContext,
	}
	if pod.SecurityContext == nil && !spec.SkipFSGroup {
		pod.SecurityContext = &corev1.PodSecurityContext{FSGroup: ptr.To(group)}
	}
	if spec.EnableReplicationReadinessGate {
		pod.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: readinessGate}}
	}
	if name := spec.Snapshot.ExistingPersistentVolumeClaimName; name != "" {
		claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}
		pod.Volumes = []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: claim}}}
	}
	return pod
}

func (dragonfly *Dragonfly) container() corev1.Container {
	spec := dragonfly.Spec
	probe := &corev1.Probe{
		ProbeHandler:     corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"/bin/sh", "/usr/local/bin/healthcheck.sh"}}},
		FailureThreshold: 3, InitialDelaySeconds: 10, PeriodSeconds: 10, SuccessThreshold: 1, TimeoutSeconds: 5,
	}
	container := corev1.Container{
		Name:            "dragonfly",
		Image:           spec.Image,
		ImagePullPolicy: spec.ImagePullPolicy,
		Args:            dragonfly.arguments(),
		Env:             append(append([]corev1.EnvVar{}, spec.Env...), corev1.EnvVar{Name: "HEALTHCHECK_PORT", Value: strconv.Itoa(adminPort)}),
		Ports: []corev1.ContainerPort{
			{Name: "redis", ContainerPort: port, Protocol: corev1.ProtocolTCP},
			{Name: "admin", ContainerPort: adminPort, Protocol: corev1.ProtocolTCP},
		},
		Resources:       spec.Resources,
		SecurityContext: spec.ContainerSecurityContext,
		ReadinessProbe:  probe,
		LivenessProbe:   probe.DeepCopy(),
	}
	if container.Image == "" {
		container.Image = DefaultImage
	}
	if password := spec.Authentication.PasswordFromSecret; password != nil {
		from := &corev1.EnvVarSource{SecretKeyRef: password}
		container.Env = append(container.Env, corev1.EnvVar{Name: "DFLY_requirepass", ValueFrom: from})
	}
	if claim := spec.Snapshot.PersistentVolumeClaimSpec; claim != nil {
		size := claim.Resources.Requests[corev1.ResourceStorage]
		container.Env = append(container.Env, corev1.EnvVar{Name: snapshots.SizeVariable, Value: size.String()})
	}
	if spec.Snapshot.hasVolume() {
		container.VolumeMounts = []corev1.VolumeMount{{Name: volume, MountPath: spec.Snapshot.dir()}}
	}
	return container
}

func (dragonfly *Dragonfly) arguments() []string {
	arguments := []string{
		"--alsologtostderr", "--break_replication_on_master_restart=true", "--primary_port_http_enabled=false", "--admin_port=9999", "--admin_nopass",
	}
	arguments = append(arguments, dragonfly.Spec.Args...)
	snapshot := dragonfly.Spec.Snapshot
	if snapshot.hasVolume() || snapshot.Dir != "" {
		arguments = append(arguments, "--dir="+snapshot.dir())
	}
	if snapshot.Cron != "" {
		arguments = append(arguments, "--snapshot_cron="+snapshot.Cron)
	}
	return arguments
}

func (snapshot Snapshot) hasVolume() bool {
	return snapshot.PersistentVolumeClaimSpec != nil || snapshot.ExistingPersistentVolumeClaimName != ""
}

func (snapshot Snapshot) dir() string {
	if snapshot.Dir != "" {
		return snapshot.Dir
	}
	return snapshotDir
}

func (dragonfly *Dragonfly) service() *corev1.Service {
	spec := dragonfly.Spec.ServiceSpec
	name := dragonfly.Name
	if spec.Name != "" {
		name = spec.Name
	}
	meta := dragonfly.owned(name)
	meta.Labels, meta.Annotations = merged(spec.Labels, meta.Labels), spec.Annotations
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta,
		Spec: corev1.ServiceSpec{
			Type:     spec.Type,
			Selector: map[string]string{"app": dragonfly.Name, nameLabel: "dragonfly", roleLabel: masterRole},
			Ports:    []corev1.ServicePort{{Name: "redis", Port: port, NodePort: spec.NodePort, Protocol: corev1.ProtocolTCP}},
		},
	}
}

func (dragonfly *Dragonfly) disruptionBudget() *policyv1.PodDisruptionBudget {
	spec := dragonfly.Spec.Pdb
	if spec.MinAvailable == nil && spec.MaxUnavailable == nil {
		spec.MaxUnavailable = ptr.To(intstr.FromInt32(1))
	}
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: dragonfly.owned(dragonfly.Name),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MinAvailable:   spec.MinAvailable,
			MaxUnavailable: spec.MaxUnavailable,
			Selector:       &metav1.LabelSelector{MatchLabels: dragonfly.selector()},
		},
	}
}

// networkPolicy lets in whoever is in the same namespace, and the operator and other replicas to the admin port.
func (dragonfly *Dragonfly) networkPolicy(operatorNamespace string) *networkingv1.NetworkPolicy {
	operator := networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: operatorNamespace}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"control-plane": "controller-manager"}},
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: dragonfly.owned(dragonfly.Name),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: dragonfly.selector()},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress: []networkingv1.NetworkPolicyIngressRule{
				{
					Ports: []networkingv1.NetworkPolicyPort{{Port: ptr.To(intstr.FromInt32(port))}},
					From:  []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}},
				},
				{
					Ports: []networkingv1.NetworkPolicyPort{{Port: ptr.To(intstr.FromInt32(adminPort))}},
					From: []networkingv1.NetworkPolicyPeer{
						operator,
						{PodSelector: &metav1.LabelSelector{MatchLabels: dragonfly.selector()}},
					},
				},
			},
		},
	}
}

func (dragonfly *Dragonfly) owned(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      name,
		Namespace: dragonfly.Namespace,
		Labels: map[string]string{
			"app":                          dragonfly.Name,
			nameLabel:                      "dragonfly",
			partOfLabel:                    "dragonfly",
			"app.kubernetes.io/component":  "dragonfly",
			"app.kubernetes.io/instance":   dragonfly.Name,
			"app.kubernetes.io/managed-by": "dragonfly-operator",
			"app.kubernetes.io/version":    defaultVersion,
			standInLabel:                   "true",
		},
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: Kind.GroupVersion().String(),
			Kind:       Kind.Kind,
			Name:       dragonfly.Name,
			UID:        dragonfly.UID,
		}},
	}
}

func (dragonfly *Dragonfly) selector() map[string]string {
	return map[string]string{"app": dragonfly.Name, nameLabel: "dragonfly", partOfLabel: "dragonfly"}
}

func (dragonfly *Dragonfly) podLabels() map[string]string {
	return merged(dragonfly.selector(), map[string]string{standInLabel: "true"})
}

func merged(first, second map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, first)
	maps.Copy(all, second)
	return all
}
