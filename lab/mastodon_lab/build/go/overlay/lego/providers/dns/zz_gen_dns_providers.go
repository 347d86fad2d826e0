// Copyright: (c) 2026, fediverse.mastodon contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Package dns has no provider: in the lab cert-manager speaks ACME, not Traefik, and upstream's list pulls in
// a hundred SDKs, of which several can't be had everywhere.
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v5/challenge"
)

// NewDNSChallengeProviderByName says that the provider is not in this build.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("DNS provider %s is not built into the lab's Traefik: use cert-manager", name)
}
