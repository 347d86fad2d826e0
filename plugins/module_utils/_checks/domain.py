# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether hosts lie in zones that the world is sent to: what every record and certificate stands on."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.name_servers import knows


def delegation(resolver: Resolver, host: str, zones: Sequence[str]) -> str:
    """Report which zone `host` is in and that its name servers answer for it.

    `zones` are those that records are written to, if there are any. Raises MastodonError.
    """
    subject = f"DNS name {host}"
    zone = resolver.zone_of(host)
    if "." not in zone:
        why = f"the nearest zone is {zone or 'the root'}"
        raise MastodonError(subject, "is not delegated", why, "Register the domain, and name its name servers there.")
    if zones and zone not in zones:
        why = f"it lies in zone {zone}, and records are written to {', '.join(zones)}, where nobody asks for them"
        raise MastodonError(subject, "would not be found", why, f"Name {zone} in external_dns_zones.")
    return f"{subject}: in zone {zone}, {_served(resolver, zone)}"


def _served(resolver: Resolver, zone: str) -> str:
    found = {server: knows(resolver, server, zone)[0] for server in sorted(resolver.name_servers(zone))}
    if set(found.values()) == {None}:
        # The resolver has its answer from them, so a firewall is in between.
        return "whose name servers cannot be asked from here"
    if wrong := [server for server, knows in found.items() if not knows]:
        why = f"{', '.join(wrong)} of {len(found)} name servers do not"
        remedy = "Remove them at the registrar, or repair them: some of the world will not find you."
        raise MastodonError(f"DNS zone {zone}", "is not answered for by all its name servers", why, remedy)
    return f"which {', '.join(found)} answer for"
