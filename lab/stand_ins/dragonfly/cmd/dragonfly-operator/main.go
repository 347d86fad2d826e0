// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Command dragonfly-operator stands in for the Dragonfly operator.
package main

import (
	"flag"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"lab/stand-ins/dragonfly/operator"
)

func main() {
	health := flag.String("health-probe-bind-address", ":8081", "where health is answered")
	metrics := flag.String("metrics-bind-address", "0", "where metrics are answered; 0 for nowhere")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(*health, *metrics); err != nil {
		ctrl.Log.Error(err, "the operator ends")
		os.Exit(1)
	}
}

func run(health, metrics string) error {
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	rest, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(rest, ctrl.Options{
		Scheme: scheme, HealthProbeBindAddress: health, Metrics: metricsserver.Options{BindAddress: metrics},
	})
	if err != nil {
		return err
	}
	reconciler := &operator.Reconciler{
		Client: manager.GetClient(), Events: manager.GetEventRecorder("dragonfly-operator"),
		Namespace: os.Getenv("POD_NAMESPACE"), Replication: operator.Redis{},
	}
	if err := reconciler.SetUp(manager); err != nil {
		return err
	}
	if err := manager.AddHealthzCheck("healthz", healthz.Ping); err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}
