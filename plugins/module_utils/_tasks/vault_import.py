# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.vault_import`: writes back what `vault_export` wrote, and overwrites nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import age, client, export
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault.export import Export

ARGUMENTS = Arguments(
    {
        **KV_OPTIONS,
        "file": {"type": "path", "required": True},
        "identity_file": {"type": "path", "required": True},
        # Where secrets are, not what they are.
        "path": {"type": "str", "required": True, "no_log": False},
        "keep": {"type": "list", "elements": "str", "default": [], "no_log": False},
    }
)


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed, restored, unchanged, kept}`. Raises MastodonError before anything is written over."""
    needs("pyrage")
    found = _opened(parameters)
    _refuse_others(found, parameters)
    mount, server = parameters["mount"], client.connect(parameters, run.environment)
    plan = export.plan(server, mount, found, _below(parameters["path"], parameters["keep"]))
    if not run.check:
        export.restore(server, mount, found, plan.missing)
    would = "would write" if run.check else "wrote"
    for what, paths in ((would, plan.missing), ("is there already:", plan.same), ("kept another", plan.kept)):
        if paths:
            run.say(f"{what} {mount}/{f', {mount}/'.join(paths)}")
    return {
        "changed": bool(plan.missing),
        "made": found.made,
        "restored": [*plan.missing],
        "unchanged": [*plan.same],
        "kept": [*plan.kept],
    }


def _opened(parameters: Mapping[str, Any]) -> Export:
    file, identity = parameters["file"], parameters["identity_file"]
    sealed, key = _read(file), _read(identity)
    try:
        text = key.decode()
    except UnicodeDecodeError as error:
        raise MastodonError(f"File {identity}", "is no key", "it is no text", "Name the file of the key.") from error
    return export.parse(age.unseal(sealed, text, file, identity), file)


def _read(file: str) -> bytes:
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise MastodonError(f"File {file}", "cannot be read", error.strerror or "", "Check its name.") from error


def _refuse_others(found: Export, parameters: Mapping[str, Any]) -> None:
    """Raise MastodonError for a file of another Mastodon."""
    folder = f"{parameters['path']}/"
    if not any(path.startswith(folder) for path in found.secrets):
        why = f"it has {', '.join(found.secrets)}, and nothing below {parameters['path']}"
        remedy = "Name this one's file, or set vault_path as it was."
        raise MastodonError(f"File {parameters['file']}", "is of another Mastodon", why, remedy)


def _below(folder: str, names: list[str]) -> list[str]:
    """Return paths that may be given by their last part alone."""
    return [name if "/" in name else f"{folder}/{name}" for name in names]


TASK = Task(ARGUMENTS, run_task)
