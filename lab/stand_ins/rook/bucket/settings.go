// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package bucket

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	settingsName = "rook-ceph-operator-config"
	provisioner  = "ceph.rook.io/bucket"
)

// Settings are the operator's, which its chart writes into a ConfigMap.
type Settings map[string]string

// ReadSettings returns what the ConfigMap has; none is no error, as upstream has a default for each.
func ReadSettings(ctx context.Context, cluster client.Reader, namespace string) (Settings, error) {
	found := &corev1.ConfigMap{}
	err := cluster.Get(ctx, types.NamespacedName{Namespace: namespace, Name: settingsName}, found)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	return found.Data, nil
}

// Provisioner is the name that StorageClasses are served under.
func (settings Settings) Provisioner(namespace string) (string, error) {
	if prefix := settings["ROOK_OBC_PROVISIONER_NAME_PREFIX"]; prefix != "" {
		if wrong := validation.IsDNS1123Label(prefix); len(wrong) > 0 {
			return "", fmt.Errorf("invalid OBC provisioner name prefix %q. %v", prefix, wrong)
		}
		return prefix + "." + provisioner, nil
	}
	if settings["ROOK_OBC_WATCH_OPERATOR_NAMESPACE"] == "true" {
		return namespace + "." + provisioner, nil
	}
	return provisioner, nil
}

// Allowed is what a claim's additionalConfig may have.
func (settings Settings) Allowed() string {
	if allowed, set := settings["ROOK_OBC_ALLOW_ADDITIONAL_CONFIG_FIELDS"]; set {
		return allowed
	}
	return DefaultAllowed
}
