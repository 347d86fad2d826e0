# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A number or a truth value that the command line gave as text makes the same objects as the value itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.names import load

from .conftest import ROOT, Site

KNOWN = load(ROOT / "roles")
HERE = {"cnpg_backend": "cnpg", "dragonfly_backend": "dragonfly", "rook_backend": "rook", "mastodon_size": "medium"}
THERE = {
    "cnpg_backend": "external",
    "cnpg_external_host": "db.example.org",
    "dragonfly_backend": "external",
    "dragonfly_external_host": "cache.example.org",
}
MORE = {
    "cnpg_backup_endpoint": "https://s3.example.org",
    "cnpg_backup_bucket": "backups",
    "volsync_endpoint": "https://s3.example.org",
    "volsync_bucket": "backups",
    "volsync_volumes": [{"name": "media"}],
    "rook_storage": {"deviceFilter": "^sdb$"},
}
NUMBERS = {
    name: KNOWN.defaults[name] if isinstance(KNOWN.defaults.get(name), int) else 3
    for name, spec in KNOWN.options.items()
    if spec.get("type") == "int"
} | {"mastodon_web_max_replicas": 5, "mastodon_web_threads": 5, "mastodon_streaming_connections": 10}
TRUTHS = [name for name, spec in KNOWN.options.items() if spec.get("type") == "bool"]
ROLES = sorted(path.parents[1].name for path in ROOT.glob("roles/*/tasks/main.yml") if path.parents[1].name != "doctor")


def applied(settings: dict[str, Any]) -> dict[str, Any]:
    """Return every value that is applied, by its path."""
    site = Site(**settings)
    return dict(flat({role: site.objects(role) for role in ROLES}, ""))


def flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not entries:
        yield path, repr(value)
    for key, item in entries:
        yield from flat(item, f"{path}/{key}")


@pytest.mark.parametrize("backends", [HERE, THERE], ids=["here", "there"])
@pytest.mark.parametrize(("truth", "text"), [(True, "yes"), (False, "no")])
def test_text_makes_the_same_objects(backends: dict[str, str], truth: bool, text: str) -> None:
    numbers = NUMBERS if truth else dict.fromkeys((name for name in NUMBERS if name.endswith("_retention_days")), 0)
    typed = {**backends, **MORE, **numbers, **dict.fromkeys(TRUTHS, truth)}
    as_text = {**typed, **{name: str(value) for name, value in numbers.items()}, **dict.fromkeys(TRUTHS, text)}
    assert dict(applied(as_text).items() ^ applied(typed).items()) == {}
