# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds a role stands on, and which tag provides those that the cluster does not serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.discovery import Catalog, unanswered_error


def refuse(wanted: Iterable[Mapping[str, str]], catalog: Catalog, say: Callable[[str], None], *, check: bool) -> None:
    """Raise CombinedError for kinds that are not served. In check mode they are only reported.

    On an empty cluster the roles before this one would have brought them.
    """
    sentences = missing(wanted, catalog)
    if sentences and not check:
        raise CombinedError(sentences)
    for sentence in sentences:
        say(f"check mode: {sentence}")


def missing(wanted: Iterable[Mapping[str, str]], catalog: Catalog) -> list[str]:
    """Return one sentence for each kind that is not served.

    A wanted kind is a dict of `api_version`, `kind` and `provided_by`, the tag that installs it or an empty string.
    """
    sentences = []
    for kind in wanted:
        group, _unused, version = kind["api_version"].rpartition("/")
        served = catalog.versions(group, kind["kind"])
        if version not in served:
            silent = unanswered_error(catalog, group, version)
            sentences.append(str(silent) if silent else _sentence(kind, served))
    return sentences


def _sentence(wanted: Mapping[str, str], served: Sequence[str]) -> str:
    about = f"{wanted['kind']} ({wanted['api_version']})"
    if served:
        remedy = "Upgrade what serves it, or use the release of this collection that fits it."
        return f"{about}: served by this cluster only as {', '.join(served)}. {remedy}"
    tag = wanted["provided_by"]
    remedy = (
        f"Run fediverse.mastodon.site with --tags {tag} first, or without tags."
        if tag
        else "Install it before this collection."
    )
    return f"{about}: not served by this cluster. {remedy}"
