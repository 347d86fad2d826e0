// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/sets"
	cliflag "k8s.io/component-base/cli/flag"

	config "github.com/cert-manager/cert-manager/internal/apis/config/controller"
	configscheme "github.com/cert-manager/cert-manager/internal/apis/config/controller/scheme"
	defaults "github.com/cert-manager/cert-manager/internal/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/internal/pem"
	"github.com/cert-manager/cert-manager/pkg/apis/config/controller/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/controller"
	shimgateways "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	"github.com/cert-manager/cert-manager/pkg/controller/configfile"
	"github.com/cert-manager/cert-manager/pkg/healthz"
	dnsutil "github.com/cert-manager/cert-manager/pkg/issuer/acme/dns/util"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
	"github.com/cert-manager/cert-manager/pkg/server"
	utilfeature "github.com/cert-manager/cert-manager/pkg/util/feature"

	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/vault"
)

// runController starts every controller that cert-manager enables by default. There is no leader election: the lab
// runs one replica.
func runController(ctx context.Context, args []string) error {
	options, err := controllerOptions(args)
	if err != nil {
		return err
	}
	factory, err := contextFactory(ctx, options)
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if err := serveHealth(ctx, group, options, base); err != nil {
		return err
	}
	enabled := enabledControllers(options)
	for name, construct := range controller.Known() {
		if !enabled.Has(name) {
			continue
		}
		run, err := construct(factory)
		if err != nil {
			return err
		}
		group.Go(func() error { return run.Run(options.NumberOfConcurrentWorkers, ctx) })
	}
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	if options.GatewayAPIConfig.Enabled {
		base.GWShared.Start(ctx.Done())
	}
	return group.Wait()
}

func controllerOptions(args []string) (*config.ControllerConfiguration, error) {
	scheme, _, err := configscheme.NewSchemeAndCodecs()
	if err != nil {
		return nil, err
	}
	versioned, options := &v1alpha1.ControllerConfiguration{}, &config.ControllerConfiguration{}
	scheme.Default(versioned)
	if err := scheme.Convert(versioned, options, nil); err != nil {
		return nil, err
	}
	flags := pflag.NewFlagSet("controller", pflag.ContinueOnError)
	logf.AddFlags(&options.Logging, flags)
	flags.StringVar(&options.ClusterResourceNamespace, "cluster-resource-namespace", options.ClusterResourceNamespace, "")
	flags.StringVar(&options.LeaderElectionConfig.Namespace, "leader-election-namespace", "", "taken, not used")
	flags.StringVar(&options.ACMEHTTP01Config.SolverImage, "acme-http01-solver-image", options.ACMEHTTP01Config.SolverImage, "")
	flags.IntVar(&options.MaxConcurrentChallenges, "max-concurrent-challenges", options.MaxConcurrentChallenges, "")
	flags.BoolVar(&options.EnableCertificateOwnerRef, "enable-certificate-owner-ref", options.EnableCertificateOwnerRef, "")
	flags.StringSliceVar(&options.ACMEDNS01Config.RecursiveNameservers, "dns01-recursive-nameservers", nil, "")
	flags.BoolVar(&options.ACMEDNS01Config.RecursiveNameserversOnly, "dns01-recursive-nameservers-only", false, "")
	flags.Var(cliflag.NewMapStringBool(&options.FeatureGates), "feature-gates", "")
	file := configfile.New()
	if err := parse(flags, args, file, func() { *options = *file.Config }); err != nil {
		return nil, err
	}
	if err := utilfeature.DefaultMutableFeatureGate.SetFromMap(options.FeatureGates); err != nil {
		return nil, err
	}
	return options, logf.ValidateAndApply(&options.Logging)
}

func enabledControllers(options *config.ControllerConfiguration) sets.Set[string] {
	enabled := sets.New(defaults.DefaultEnabledControllers...)
	if options.GatewayAPIConfig.Enabled {
		enabled.Insert(shimgateways.ControllerName)
	}
	return enabled
}

func serveHealth(ctx context.Context, group *errgroup.Group, options *config.ControllerConfiguration, base *controller.Context) error {
	health, err := server.Listen(ctx, "tcp", options.HealthzListenAddress)
	if err != nil {
		return err
	}
	group.Go(func() error { return healthz.NewServer(options.LeaderElectionConfig.HealthzTimeout).Start(ctx, health) })
	metrics, err := server.Listen(ctx, "tcp", options.MetricsListenAddress)
	if err != nil {
		return err
	}
	serving := base.Metrics.NewServer(metrics)
	group.Go(func() error { return serving.Serve(metrics) })
	group.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return serving.Shutdown(grace)
	})
	return nil
}

func contextFactory(ctx context.Context, options *config.ControllerConfiguration) (*controller.ContextFactory, error) {
	pem.SetGlobalSizeLimits(pem.NewSizeLimitsFromConfig(
		options.PEMSizeLimitsConfig.MaxCertificateSize,
		options.PEMSizeLimitsConfig.MaxPrivateKeySize,
		options.PEMSizeLimitsConfig.MaxChainLength,
		options.PEMSizeLimitsConfig.MaxBundleSize,
	))
	nameservers := options.ACMEDNS01Config.RecursiveNameservers
	if len(nameservers) == 0 {
		nameservers = dnsutil.RecursiveNameservers
	}
	solver := options.ACMEHTTP01Config
	return controller.NewContextFactory(ctx, controller.ContextOptions{
		Kubeconfig:         options.KubeConfig,
		KubernetesAPIQPS:   options.KubernetesAPIQPS,
		KubernetesAPIBurst: options.KubernetesAPIBurst,
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 solver.SolverImage,
			HTTP01SolverResourceRequestCPU:    resource.MustParse(solver.SolverResourceRequestCPU),
			HTTP01SolverResourceRequestMemory: resource.MustParse(solver.SolverResourceRequestMemory),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse(solver.SolverResourceLimitsCPU),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse(solver.SolverResourceLimitsMemory),
			ACMEHTTP01SolverRunAsNonRoot:      solver.SolverRunAsNonRoot,
			HTTP01SolverNameservers:           solver.SolverNameservers,
			DNS01Nameservers:                  nameservers,
			DNS01CheckRetryPeriod:             options.ACMEDNS01Config.CheckRetryPeriod,
			DNS01CheckAuthoritative:           !options.ACMEDNS01Config.RecursiveNameserversOnly,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: options.MaxConcurrentChallenges},
		IssuerOptions: controller.IssuerOptions{
			ClusterIssuerAmbientCredentials: options.ClusterIssuerAmbientCredentials,
			IssuerAmbientCredentials:        options.IssuerAmbientCredentials,
			ClusterResourceNamespace:        options.ClusterResourceNamespace,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerName:                 options.IngressShimConfig.DefaultIssuerName,
			DefaultIssuerKind:                 options.IngressShimConfig.DefaultIssuerKind,
			DefaultIssuerGroup:                options.IngressShimConfig.DefaultIssuerGroup,
			DefaultAutoCertificateAnnotations: options.IngressShimConfig.DefaultAutoCertificateAnnotations,
			GatewayAPIExtraProtocols:          sets.New(options.GatewayAPIConfig.ExtraProtocols...),
		},
		CertificateOptions: controller.CertificateOptions{
			EnableOwnerRef:                           options.EnableCertificateOwnerRef,
			CopiedAnnotationPrefixes:                 options.CopiedAnnotationPrefixes,
			CertificateRequestMinimumBackoffDuration: options.CertificateRequestMinimumBackoffDuration,
			CertificateRequestMaximumBackoffDuration: options.CertificateRequestMaximumBackoffDuration,
		},
		ConfigOptions: controller.ConfigOptions{
			EnableGatewayAPI:            options.GatewayAPIConfig.Enabled,
			EnableGatewayAPIListenerSet: options.GatewayAPIConfig.EnableListenerSet,
		},
	})
}
