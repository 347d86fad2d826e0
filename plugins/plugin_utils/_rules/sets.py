# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names by which roles note what they have made: of two that are the same in one namespace, each would delete what the other made.

A set is listed in a ConfigMap of its own name, and what that lists and a role no longer declares is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings

# Of what a cluster has once, by its namespace.
_OPERATORS = (
    ("cert-manager", "cert_manager_namespace"),
    ("cloudnative-pg", "cnpg_namespace"),
    ("plugin-barman-cloud", "cnpg_namespace"),
    ("dragonfly-operator", "dragonfly_namespace"),
    ("external-secrets", "external_secrets_namespace"),
    ("vault-reviewer", "external_secrets_namespace"),
    ("flux", "flux_namespace"),
    ("rook-ceph", "rook_namespace"),
    ("volsync", "volsync_namespace"),
)
# What follows from a setting, by what is before and behind it.
_NAMED = (
    ("mastodon_name", "{}", "mastodon_namespace"),
    ("mastodon_name", "{}-routes", "mastodon_namespace"),
    ("mastodon_name", "{}-feeds", "mastodon_namespace"),
    ("mastodon_name", "{}-volumes", "volsync_volumes_namespace"),
    ("cnpg_cluster_name", "{}", "cnpg_cluster_namespace"),
    ("dragonfly_name", "{}", "dragonfly_instance_namespace"),
    ("rook_claim_name", "{}", "rook_claim_namespace"),
    ("rook_store_name", "{}", "rook_namespace"),
    ("gateway_certificate_name", "{}", "gateway_namespace"),
    ("cert_manager_issuer_name", "issuer-{}", "cert_manager_namespace"),
    ("external_secrets_store", "store-{}", "external_secrets_namespace"),
    ("external_dns_name", "{}", "external_dns_namespace"),
)

RULES = Rules()


@RULES.rule
def one_name_each(settings: Settings) -> Iterator[str]:
    """No role deletes what another one has made."""
    there = {(settings[namespace], name): "an operator" for name, namespace in _OPERATORS}
    for setting, form, namespace in _NAMED:
        place = settings[namespace], form.format(settings[setting])
        if place in there:
            yield (
                f"Variable {setting}: {place[1]} in namespace {place[0]} is the name of what is made for {there[place]}, too: each would "
                "delete what the other has made. Set it to a name of its own."
            )
        there.setdefault(place, setting)
