# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables of an inventory say how the cluster and Vault are reached.

Every action takes them by itself, so that a role or a task alone reaches what site.yml reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import KUBERNETES_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import VAULT_OPTIONS

# Where a variable is not called like its option. The others of Vault's are called like their option behind vault_.
_CALLED = {"context": "kubeconfig_context", "vault_namespace": "vault_namespace"}


def _named(options: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, spec in options.items():
        yield from ((name, _CALLED.get(called, f"{prefix}{called}")) for called in (name, *spec.get("aliases", ())))


_SHARED = tuple(
    (name, variable, options[name])
    for options, prefix in ((KUBERNETES_OPTIONS, ""), (VAULT_OPTIONS, "vault_"))
    for name, variable in _named(options, prefix)
)
# Each variable, with what it may be.
VARIABLES: Mapping[str, Mapping[str, Any]] = {variable: spec for _name, variable, spec in _SHARED}


def options(known: Mapping[str, Any], variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each option of a module that is about a connection, and the variable that says it, of those that are there.

    Another option that happens to be called so is another one.
    """
    for name, variable, spec in _SHARED:
        if known.get(name) is spec and variable in variables:
            yield name, variable
