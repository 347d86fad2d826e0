// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

package factory

import (
	"fmt"

	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/registry"
	"sigs.k8s.io/external-dns/registry/crd"
	"sigs.k8s.io/external-dns/registry/noop"
	"sigs.k8s.io/external-dns/registry/txt"
)

// Select is upstream's, with the registries that need no SDK of a vendor.
func Select(cfg *externaldns.Config, p provider.Provider) (registry.Registry, error) {
	constructors := map[string]func(*externaldns.Config, provider.Provider) (registry.Registry, error){
		externaldns.RegistryCRD:  crd.New,
		externaldns.RegistryNoop: noop.New,
		externaldns.RegistryTXT:  txt.New,
	}
	constructor, known := constructors[cfg.Registry]
	if !known {
		return nil, fmt.Errorf("unknown registry: %s", cfg.Registry)
	}
	return constructor(cfg, p)
}
