// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package operator

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"lab/stand-ins/rook/rgw"
)

const (
	standInLabel = "fediverse.mastodon/stand-in"
	// As upstream's gateways listen.
	gatewayPort = 8080
	dataFolder  = "/var/lib/ceph/radosgw"
	volume      = "data"
	volumeSize  = "5Gi"
	user        = int64(65532)
)

// objectStore is a CephObjectStore that can be had.
type objectStore struct {
	*unstructured.Unstructured
	spec *StoreSpec
	// Ceph's, which the store's CephCluster names.
	image string
}

// objects are the gateway and what it needs, in the order in which they are applied.
func (store objectStore) objects() []client.Object {
	return []client.Object{store.claim(), store.service(), store.deployment()}
}

func (store objectStore) keyring() *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: store.owned(rgw.Keyring(store.GetName())),
		StringData: map[string]string{rgw.AccessKey: rgw.Random(20), rgw.SecretKey: rgw.Random(40)},
	}
}

// claim is what stands for the store's pools.
func (store objectStore) claim() *corev1.PersistentVolumeClaim {
	meta := store.owned(rgw.Name(store.GetName()))
	if store.spec.PreservePoolsOnDelete {
		meta.OwnerReferences = nil
	}
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(volumeSize)}
	return &corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: meta,
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: size},
		},
	}
}

func (store objectStore) service() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: store.owned(rgw.Name(store.GetName())),
		Spec: corev1.ServiceSpec{
			Selector: store.selector(),
			Ports: []corev1.ServicePort{{
				Name: "http", Port: store.spec.Gateway.Port, TargetPort: intstr.FromInt32(gatewayPort), Protocol: corev1.ProtocolTCP,
			}},
		},
	}
}

func (store objectStore) deployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: store.owned(rgw.Name(store.GetName()) + "-a"),
		Spec: appsv1.DeploymentSpec{
			Replicas: &store.spec.Gateway.Instances,
			Selector: &metav1.LabelSelector{MatchLabels: store.selector()},
			// Its volume is for one pod at a time.
			Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: store.labels()},
				Spec:       store.pod(),
			},
		},
	}
}

func (store objectStore) pod() corev1.PodSpec {
	claim := &corev1.PersistentVolumeClaimVolumeSource{ClaimName: rgw.Name(store.GetName())}
	keys := &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: rgw.Keyring(store.GetName())}}
	return corev1.PodSpec{
		AutomountServiceAccountToken: ptr.To(false),
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: ptr.To(true), RunAsUser: ptr.To(user), RunAsGroup: ptr.To(user), FSGroup: ptr.To(user),
		},
		Volumes: []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: claim}}},
		Containers: []corev1.Container{{
			Name:         "rgw",
			Image:        store.image,
			Command:      []string{"radosgw"},
			Args:         []string{dataFolder},
			EnvFrom:      []corev1.EnvFromSource{{SecretRef: keys}},
			Ports:        []corev1.ContainerPort{{Name: "http", ContainerPort: gatewayPort}},
			Resources:    store.spec.Gateway.Resources,
			VolumeMounts: []corev1.VolumeMount{{Name: volume, MountPath: dataFolder}},
			ReadinessProbe: &corev1.Probe{
				ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/health", Port: intstr.FromInt32(gatewayPort)}},
				PeriodSeconds: 2,
			},
		}},
	}
}

func (store objectStore) owned(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      name,
		Namespace: store.GetNamespace(),
		Labels:    store.labels(),
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: store.GetAPIVersion(), Kind: store.GetKind(), Name: store.GetName(), UID: store.GetUID(), Controller: ptr.To(true),
		}},
	}
}

func (store objectStore) selector() map[string]string {
	return map[string]string{
		"app": "rook-ceph-rgw", "rook_cluster": store.GetNamespace(), "rook_object_store": store.GetName(),
		"ceph_daemon_type": "rgw", "ceph_daemon_id": store.GetName(), "rgw": store.GetName(),
	}
}

func (store objectStore) labels() map[string]string {
	labels := map[string]string{standInLabel: "true"}
	maps.Copy(labels, store.selector())
	return labels
}
