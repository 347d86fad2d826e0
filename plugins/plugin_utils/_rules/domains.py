# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that can be nobody's, and buckets that clients or pods would not find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings

RULES = Rules()

_EXAMPLE = re.compile(r"(^|\.)example(\.com|\.net|\.org)?$")
# Where a bucket is, and what it is called.
_BUCKETS = {
    "cnpg_backup_endpoint": "cnpg_backup_bucket",
    "mastodon_s3_endpoint": "mastodon_s3_bucket",
    "rook_external_endpoint": "rook_external_bucket",
    "volsync_endpoint": "volsync_bucket",
}


@RULES.rule
def example_domain(settings: Settings) -> Iterator[str]:
    """Refuse the domain of the example: https://www.rfc-editor.org/rfc/rfc6761#section-6.5"""
    for name in ("mastodon_local_domain", "mastodon_web_domain"):
        if name in settings.given and _EXAMPLE.search(str(settings[name])):
            yield f"Variable {name}: {settings[name]} is reserved for examples. Set your own domain in its place."


@RULES.rule
def claimed_elsewhere(settings: Settings) -> Iterator[str]:
    """Rook writes the bucket's keys beside its claim."""
    if settings["rook_backend"] != "rook":
        return
    here, there = settings["mastodon_namespace"], settings["rook_claim_namespace"]
    if here and there and here != there:
        why = f"Rook writes the bucket's keys there, and Mastodon's pods read them in {here}"
        yield f"Variable rook_claim_namespace: {there} is not Mastodon's namespace: {why}. Leave it out."


@RULES.rule
def bucket_in_host(settings: Settings) -> Iterator[str]:
    """Clients put the bucket before the host of an S3 server themselves."""
    for endpoint, name in _BUCKETS.items():
        if {endpoint, name} <= {*settings.given} and (bucket := settings[name]):
            scheme, host = urlsplit(settings[endpoint] or "")[:2]
            if host.startswith(f"{bucket}."):
                server = f"{scheme}://{host.removeprefix(f'{bucket}.')}"
                yield f"Variable {endpoint}: {host} begins with the bucket. Write it like {server}."
