# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables the roles know, and what a user meant by one they do not know.

Ansible's own argument validation passes over an unknown top-level variable in silence, so a misspelt setting
would just not take effect.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.constants import INTERNAL_STATIC_VARS
from ansible_collections.fediverse.mastodon.plugins.plugin_utils._documents import parse

# https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_tags.html#special-tags
_TAGS_OF_ANSIBLE = frozenset(("all", "always", "never", "tagged", "untagged"))
# Below this likeness a name of another prefix is taken for the user's own variable.
_SURELY_MEANT = 0.88
# Of a tag; two letters that changed places are as near.
_TAG_MEANT = 0.7
_ABSENT = object()
_NAMED = re.compile(r"^(\w+):", re.MULTILINE)
_REGISTERED = re.compile(r"^ +register: (\w+)$", re.MULTILINE)
# What others call a secret, and the entry of Vault that holds it here.
_SECRETS = {
    "mastodon_secret_key_base": "app, key secret-key-base",
    "mastodon_vapid_private_key": "app, key vapid-private-key",
    "mastodon_vapid_public_key": "app, key vapid-public-key",
    "mastodon_active_record_encryption_primary_key": "app, key are-primary-key",
    "mastodon_active_record_encryption_deterministic_key": "app, key are-deterministic-key",
    "mastodon_active_record_encryption_key_derivation_salt": "app, key are-derivation-salt",
    "mastodon_admin_password": "admin, key password, once the account is made",
    "mastodon_db_password": "postgresql, key password",
    "mastodon_postgresql_password": "postgresql, key password",
    "mastodon_redis_password": "redis, key password",
    "mastodon_s3_access_key": "s3, key access-key-id",
    "mastodon_s3_access_key_id": "s3, key access-key-id",
    "mastodon_s3_secret_key": "s3, key secret-access-key",
    "mastodon_s3_secret_access_key": "s3, key secret-access-key",
    "mastodon_smtp_login": "smtp, key username",
    "mastodon_smtp_username": "smtp, key username",
    "mastodon_smtp_password": "smtp, key password",
}
# What Mastodon once had: https://github.com/mastodon/mastodon/blob/main/CHANGELOG.md
_FORMER = {
    "mastodon_otp_secret": "Mastodon has none since 4.4. Remove it.",
    "mastodon_redis_namespace": "Mastodon has none since 4.4. Remove it, and give each Mastodon a Redis of its own.",
}


@dataclass(frozen=True)
class Known:
    """The variables of all roles: prefixes, names, argument specs of those that users set, and untemplated defaults."""

    prefixes: frozenset[str]
    names: frozenset[str]
    options: Mapping[str, Mapping[str, Any]]
    defaults: Mapping[str, Any]

    @property
    def required(self) -> frozenset[str]:
        """The names that must be set."""
        return frozenset(name for name, spec in self.options.items() if spec.get("required"))


def load(roles: Path, extra: Iterable[str] = ()) -> Known:
    """Read every role's argument spec, defaults, vars and what it registers below the folder `roles`."""
    names: set[str] = set(extra)
    options = options_of(roles)
    defaults: dict[str, Any] = {}
    prefixes: set[str] = set()
    for role in sorted(path.parents[1] for path in roles.glob("*/meta/main.yml")):
        prefixes.add(f"{role.name}_")
        for file in role.glob("defaults/**/*.yml"):
            defaults.update(_load(file))
        for file in role.glob("vars/**/*.yml"):
            names.update(_NAMED.findall(file.read_text(encoding="utf-8")))
        # A later play of the same run finds them too.
        for file in role.glob("tasks/**/*.yml"):
            names.update(_REGISTERED.findall(file.read_text(encoding="utf-8")))
    return Known(frozenset(prefixes), frozenset(names | options.keys() | defaults.keys()), options, defaults)


def given(variables: Mapping[str, Any], known: Known) -> set[str]:
    """Return the names of the settings that the user gave: what follows from a default is right when those are."""
    return {
        name for name in known.options.keys() & variables.keys() if variables[name] != known.defaults.get(name, _ABSENT)
    }


def _load(file: Path) -> Mapping[str, Any]:
    documents = parse(file.read_text(encoding="utf-8"), file.name)
    return documents[0] if documents else {}


def options_of(roles: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the argument specs of the settings that the roles below the folder `roles` document."""
    found: dict[str, Mapping[str, Any]] = {}
    for file in sorted(roles.glob("*/meta/argument_specs.yml")):
        found |= _load(file)["argument_specs"]["main"].get("options") or {}
    return found


def misspelt(given: Iterable[str], known: Known) -> list[str]:
    """Return one sentence for each variable that no role knows but that looks meant for one."""
    problems = []
    for name in sorted(set(given) - known.names):
        # Ansible's own, of which there are many, and each is compared with every setting.
        if name.startswith("ansible_") or name in INTERNAL_STATIC_VARS:
            continue
        if name in _FORMER:
            problems.append(f"Variable {name}: {_FORMER[name]}")
            continue
        if name in _SECRETS:
            where = f"Vault has it below vault_path at {_SECRETS[name]}"
            problems.append(f"Variable {name}: secrets do not belong in an inventory: {where}. Remove it.")
            continue
        ours = any(name.startswith(prefix) for prefix in known.prefixes)
        close = difflib.get_close_matches(name, known.names, n=1, cutoff=0.6 if ours else _SURELY_MEANT)
        if close:
            problems.append(f"Variable {name}: not known to any role. Did you mean {close[0]}?")
        elif ours:
            problems.append(f"Variable {name}: not known to any role. Remove it, or rename it if it is your own.")
    return problems


def misspelt_tags(variables: Mapping[str, Any], known: Sequence[str]) -> list[str]:
    """Return one sentence for each tag of the command line that looks meant for one of the playbook's."""
    given = {*(variables.get("ansible_run_tags") or ()), *(variables.get("ansible_skip_tags") or ())}
    meant = {
        tag: difflib.get_close_matches(tag, known, n=1, cutoff=_TAG_MEANT)
        for tag in sorted(given - {*known, *_TAGS_OF_ANSIBLE})
    }
    return [f"Tag {tag}: no task has it. Did you mean {close[0]}?" for tag, close in meant.items() if close]


def is_left_out(variables: Mapping[str, Any], known: Sequence[str]) -> bool:
    """Whether the command line names tags of which the playbook has none: they may be those of a playbook that imports it."""
    return bool(known) and not {*(variables.get("ansible_run_tags") or ["all"])} & {*known, *_TAGS_OF_ANSIBLE}


def unset(values: Mapping[str, Any], known: Known) -> dict[str, str]:
    """Return one sentence for each required variable that is undefined or empty, by its name."""
    return {name: undefined(name) for name in sorted(known.required) if values.get(name) in (None, "")}


def undefined(name: str) -> str:
    """Return that a variable is to be set."""
    return f"Variable {name}: missing. Set it in your inventory."
