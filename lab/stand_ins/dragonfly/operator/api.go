// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package operator stands in for the Dragonfly operator: it makes of each Dragonfly object what upstream makes of it.
//
// API: https://www.dragonflydb.io/docs/managing-dragonfly/operator/dragonfly-configuration
package operator

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"lab/stand-ins/dragonfly/flags"
)

// Kind is what this operator looks after.
var Kind = schema.GroupVersionKind{Group: "dragonflydb.io", Version: "v1alpha1", Kind: "Dragonfly"}

// notHonoured are fields of upstream's that its CRD lets through, so that using one is refused and not ignored.
var notHonoured = []string{
	"aclFromSecret", "additionalContainers", "additionalVolumes", "authentication.clientCaCertSecret",
	"initContainers", "memcachedPort", "ownedObjectsMetadata", "snapshot.enableOnMasterOnly", "tiering", "tlsSecretRef",
}

// Dragonfly is the part of an object that is honoured.
type Dragonfly struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              Spec `json:"spec"`
}

// Spec has upstream's names and meanings.
type Spec struct {
	Replicas                       int32                             `json:"replicas"`
	Image                          string                            `json:"image"`
	ImagePullPolicy                corev1.PullPolicy                 `json:"imagePullPolicy"`
	ImagePullSecrets               []corev1.LocalObjectReference     `json:"imagePullSecrets"`
	Args                           []string                          `json:"args"`
	Annotations                    map[string]string                 `json:"annotations"`
	Labels                         map[string]string                 `json:"labels"`
	Env                            []corev1.EnvVar                   `json:"env"`
	Resources                      corev1.ResourceRequirements       `json:"resources"`
	Affinity                       *corev1.Affinity                  `json:"affinity"`
	NodeSelector                   map[string]string                 `json:"nodeSelector"`
	Tolerations                    []corev1.Toleration               `json:"tolerations"`
	TopologySpreadConstraints      []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints"`
	ServiceAccountName             string                            `json:"serviceAccountName"`
	PriorityClassName              string                            `json:"priorityClassName"`
	PodSecurityContext             *corev1.PodSecurityContext        `json:"podSecurityContext"`
	ContainerSecurityContext       *corev1.SecurityContext           `json:"containerSecurityContext"`
	SkipFSGroup                    bool                              `json:"skipFSGroup"`
	Authentication                 Authentication                    `json:"authentication"`
	Snapshot                       Snapshot                          `json:"snapshot"`
	ServiceSpec                    ServiceSpec                       `json:"serviceSpec"`
	Pdb                            Pdb                               `json:"pdb"`
	NetworkPolicyEnabled           *bool                             `json:"networkPolicyEnabled"`
	EnableReplicationReadinessGate bool                              `json:"enableReplicationReadinessGate"`
}

type Authentication struct {
	PasswordFromSecret *corev1.SecretKeySelector `json:"passwordFromSecret"`
}

type Snapshot struct {
	Dir                               string                            `json:"dir"`
	Cron                              string                            `json:"cron"`
	PersistentVolumeClaimSpec         *corev1.PersistentVolumeClaimSpec `json:"persistentVolumeClaimSpec"`
	ExistingPersistentVolumeClaimName string                            `json:"existingPersistentVolumeClaimName"`
}

type ServiceSpec struct {
	Type        corev1.ServiceType `json:"type"`
	Name        string             `json:"name"`
	NodePort    int32              `json:"nodePort"`
	Annotations map[string]string  `json:"annotations"`
	Labels      map[string]string  `json:"labels"`
}

type Pdb struct {
	MinAvailable   *intstr.IntOrString `json:"minAvailable"`
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable"`
}

// Read returns what an object asks for, or why that can't be had here.
func Read(object *unstructured.Unstructured) (*Dragonfly, error) {
	for _, field := range notHonoured {
		_, found, err := unstructured.NestedFieldNoCopy(object.Object, append([]string{"spec"}, strings.Split(field, ".")...)...)
		if found || err != nil {
			return nil, fmt.Errorf("spec.%s: this stand-in for the Dragonfly operator doesn't have it", field)
		}
	}
	dragonfly := &Dragonfly{}
	given := maps.Clone(object.Object)
	delete(given, "status")
	// Upstream's CRD has the fields of Kubernetes' own types, so that its API server refuses all others.
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(given, dragonfly, true); err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	return dragonfly, dragonfly.check()
}

func (dragonfly *Dragonfly) check() error {
	snapshot := dragonfly.Spec.Snapshot
	claimed, existing := snapshot.PersistentVolumeClaimSpec != nil, snapshot.ExistingPersistentVolumeClaimName != ""
	switch {
	case claimed && existing:
		return errors.New("persistentVolumeClaimSpec and existingPersistentVolumeClaimName are mutually exclusive")
	case snapshot.Cron != "" && !claimed && !existing && snapshot.Dir == "":
		return errors.New("cron specified without a persistent volume claim")
	}
	for field, labels := range map[string]map[string]string{
		"spec.labels": dragonfly.Spec.Labels, "spec.serviceSpec.labels": dragonfly.Spec.ServiceSpec.Labels,
	} {
		for label := range labels {
			if _, managed := dragonfly.owned("").Labels[label]; managed || label == roleLabel {
				return fmt.Errorf("%s: cannot override operator-managed label %q", field, label)
			}
		}
	}
	if _, err := flags.Parse(dragonfly.arguments(), func(string) string { return "" }); err != nil {
		return fmt.Errorf("spec.args: %w", err)
	}
	return nil
}
