# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that Helm values give Mastodon's pods past what decides them.

The chart puts those of one part behind its own, and the last one holds: a launched instance would be another one, or write elsewhere, and
the checks would look at what the settings say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.fediverse.mastodon.plugins.module_utils._environment import VARIABLES
from ansible_collections.fediverse.mastodon.plugins.module_utils._paths import at
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.chart_values import SETTINGS, refusal
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._rules.rule import Rules, Settings

_PARTS = ("mastodon", "mastodon.web", "mastodon.sidekiq", "mastodon.streaming")
_FROM_VAULT = ("it comes from Vault", "Remove it.")
# What no value of the chart decides that may be set.
_ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "SELF_DESTRUCT": ("nothing takes back that Mastodon leaves the federation", "Remove it, and run playbook leave."),
    "SMTP_LOGIN": _FROM_VAULT,
    "VAPID_PUBLIC_KEY": _FROM_VAULT,
}

RULES = Rules()


@RULES.rule
def decided_variables(settings: Settings) -> Iterator[str]:
    """What a setting decides is not given as a variable."""
    for part in _PARTS:
        path = f"{part}.extraEnvVars"
        given = at(settings["mastodon_values"] or {}, path) or {}
        if not isinstance(given, Mapping):
            yield refusal(f"{path} is no mapping", "the chart makes no variables of it", "Write it as NAME: value.")
            continue
        for name in sorted(map(str, given)):
            yield from _of(f"{path}.{name}", name)


def _of(path: str, name: str) -> Iterator[str]:
    if name in _ELSEWHERE:
        yield refusal(f"{path} is decided elsewhere", *_ELSEWHERE[name])
    elif value := VARIABLES.get(name):
        setting = SETTINGS["mastodon_values"].get(value)
        remedy = f"Set {setting or value} instead."
        yield refusal(f"{path} is decided by {'a setting' if setting else 'a value'}", "the checks use that", remedy)
