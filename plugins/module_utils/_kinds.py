# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds a role stands on, and which tag provides those that the cluster does not serve.

This module util is PRIVATE to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog


def missing(wanted: Iterable[Mapping[str, str]], catalog: Catalog) -> list[str]:
    """Return one sentence for each kind that is not served.

    A wanted kind is a dict of `api_version`, `kind` and `provided_by`, the tag that lays it down or an empty string.
    """
    return [_sentence(kind) for kind in wanted if not _is_served(kind["api_version"], kind["kind"], catalog)]


def _is_served(api_version: str, kind: str, catalog: Catalog) -> bool:
    group, _unused, version = api_version.rpartition("/")
    return catalog.find(group, version, kind) is not None


def _sentence(wanted: Mapping[str, str]) -> str:
    tag = wanted["provided_by"]
    remedy = f"Run site.yml with --tags {tag} first, or without tags." if tag else "Install it before this collection."
    return f"{wanted['kind']} ({wanted['api_version']}): not served by this cluster. {remedy}"
