# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that no role documents: every task reads them, playbook `federation` does, or they are typed for one run."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks.federation_check import ARGUMENTS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._connections import VARIABLES
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Spec

_DECLARED = (
    *("account", "addresses", "ca_certificates", "followed_hosts", "hold", "internal", "key_fingerprint"),
    *("media_path", "nameserver", "reports", "since"),
)
_WAYS: Mapping[str, Spec] = ARGUMENTS.options["via"]["options"]
# Those of docs/operating.md, each of which is of the kind that the module's option is.
FEDERATION: Mapping[str, Spec] = {
    **{f"federation_{option}": ARGUMENTS.options[option] for option in _DECLARED},
    **{f"federation_via_{way}": spec for way, spec in _WAYS.items()},
}
SETTINGS: Mapping[str, Spec] = {"force_conflicts": {"type": "list", "elements": "str"}, **VARIABLES, **FEDERATION}
# Of those that are typed the ones that nothing else asks for, and that nobody's own variables are like.
TYPED = frozenset(
    ("identity_file", "media_sample", "restore_back", "restore_to", "restore_unrehearsed", "rotate_accept")
)
