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
)

// Select is upstream's, with the one provider whose SDK the lab's modules have anyway.
func Select(
	ctx context.Context, cfg *externaldns.Config, domainFilter *endpoint.DomainFilter,
) (provider.Provider, error) {
	if cfg.Provider != externaldns.ProviderAWS {
		return nil, fmt.Errorf("unknown dns provider: %s", cfg.Provider)
	}
	made, err := aws.New(ctx, cfg, domainFilter)
	if err != nil {
		return nil, err
	}
	return newAliasNormalizingMiddleware(made), nil
}
