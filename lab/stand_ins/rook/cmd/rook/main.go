// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command rook stands in for the Rook operator, which is run as `rook ceph operator`.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/kube-object-storage/lib-bucket-provisioner/pkg/provisioner"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"lab/stand-ins/rook/bucket"
	"lab/stand-ins/rook/operator"
)

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(os.Args[1:], os.Getenv("POD_NAMESPACE")); err != nil {
		ctrl.Log.Error(err, "the operator ends")
		os.Exit(1)
	}
}

func run(arguments []string, namespace string) error {
	if !slices.Equal(arguments, []string{"ceph", "operator"}) {
		return fmt.Errorf("arguments %q: this stand-in for Rook is its operator only, `ceph operator`", arguments)
	}
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	rest, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	operators, err := ctrl.NewManager(rest, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		// Not to hold what all the cluster has.
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}, &corev1.Node{}}}},
	})
	if err != nil {
		return err
	}
	if err := operator.SetUp(operators, namespace); err != nil {
		return err
	}
	if err := serveBuckets(operators, namespace); err != nil {
		return err
	}
	return operators.Start(ctrl.SetupSignalHandler())
}

// serveBuckets lets upstream's library look after ObjectBucketClaims while the manager runs.
func serveBuckets(operators manager.Manager, namespace string) error {
	cluster := operators.GetAPIReader()
	settings := func(ctx context.Context) (bucket.Settings, error) {
		return bucket.ReadSettings(ctx, cluster, namespace)
	}
	found, err := settings(context.Background())
	if err != nil {
		return err
	}
	name, err := found.Provisioner(namespace)
	if err != nil {
		return err
	}
	allowed := func(ctx context.Context) (string, error) {
		found, err := settings(ctx)
		return found.Allowed(), err
	}
	const everywhere = ""
	claims, err := provisioner.NewProvisioner(operators.GetConfig(), name, bucket.Provisioner{Cluster: cluster, Allowed: allowed}, everywhere)
	if err != nil {
		return err
	}
	return operators.Add(manager.RunnableFunc(claims.RunWithContext))
}
