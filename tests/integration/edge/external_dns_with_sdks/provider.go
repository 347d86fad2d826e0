// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package factory

import (
	"context"
	"fmt"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/provider/aws"
	"sigs.k8s.io/external-dns/provider/cloudflare"
)

// Select is upstream's, with the providers that the tests have a service for.
func Select(
	ctx context.Context, cfg *externaldns.Config, domainFilter *endpoint.DomainFilter,
) (provider.Provider, error) {
	constructors := map[string]func(
		context.Context, *externaldns.Config, *endpoint.DomainFilter,
	) (provider.Provider, error){
		externaldns.ProviderAWS:        aws.New,
		externaldns.ProviderCloudflare: cloudflare.New,
	}
	constructor, known := constructors[cfg.Provider]
	if !known {
		return nil, fmt.Errorf("unknown dns provider: %s", cfg.Provider)
	}
	made, err := constructor(ctx, cfg, domainFilter)
	if err != nil {
		return nil, err
	}
	return newAliasNormalizingMiddleware(made), nil
}
