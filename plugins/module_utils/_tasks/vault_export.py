# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `fediverse.mastodon.vault_export`: writes what Vault has to a file that only its recipients can open."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._checks import vault_backup
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.window import written
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.vault_backup import VaultBackup
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import open_objects
from ansible_collections.fediverse.mastodon.plugins.module_utils._libraries import needs
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Arguments, Run, Task
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.keeping import Book, now
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import (
    KUBERNETES_OPTIONS,
    connect,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import KV_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._vault import age, client, export

ARGUMENTS = Arguments(
    {
        **KUBERNETES_OPTIONS,
        **KV_OPTIONS,
        "name": {"type": "str", "required": True},
        "paths": {"type": "list", "elements": "str", "required": True},
        "recipients": {"type": "list", "elements": "str", "required": True},
        "folder": {"type": "path", "required": True},
        "namespace": {"type": "str", "default": ""},
    }
)

_OURS_ALONE = 0o700


def run_task(parameters: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """Return `{changed: True, file, paths}`. Raises MastodonError when nothing was written, or no record of it."""
    needs("pyrage")
    age.refuse_strangers(parameters["recipients"])
    book = _book(parameters, run)
    with _failing(book):
        if book:
            book.refuse_foreign()
        mount, began = parameters["mount"], now()
        server = client.connect(parameters, run.environment)
        found = export.read(server, mount, parameters["paths"], written(began))
        file = Path(parameters["folder"]).expanduser() / f"vault-{parameters['name']}-{began:%Y%m%dT%H%M%SZ}.age"
        if not run.check:
            _write(file, age.seal(found.text(), parameters["recipients"]))
    made = VaultBackup(
        found.made, mount, json.dumps(found.written), str(file), platform.node(), str(len(parameters["recipients"]))
    )
    run.say(
        f"{'would write' if run.check else 'wrote'} Vault's {mount}/{f', {mount}/'.join(found.secrets)}: {made.line()}"
    )
    for path in found.gone:
        run.say(f"left out {mount}/{path}, which was deleted")
    if book:
        book.keep(asdict(made))
    return {"changed": True, "file": str(file), "versions": found.versions, "deleted": [*found.gone]}


def _book(parameters: Mapping[str, Any], run: Run) -> Book | None:
    """Return what keeps a record in the cluster, None when none is asked for."""
    if not parameters["namespace"]:
        return None
    place = vault_backup.place_of(parameters["namespace"], parameters["name"])
    objects = open_objects(connect(parameters, run.environment))
    return Book(objects, place, f"Vault of {parameters['name']}", run)


def _failing(book: Book | None) -> AbstractContextManager[None]:
    if book is None:
        return nullcontext()
    return book.failing(lambda why: asdict(VaultBackup(written(now()), failure=why)))


def _write(file: Path, sealed: bytes) -> None:
    """Write all of it or nothing, and never over a file. Raises MastodonError."""
    try:
        file.parent.mkdir(mode=_OURS_ALONE, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".vault-") as partial:
            partial.write(sealed)
            partial.flush()
            os.fsync(partial.fileno())
            os.link(partial.name, file)
        if file.read_bytes() != sealed:
            raise MastodonError(f"File {file}", "is not what was written", "", "Check the disk, and run again.")
    except OSError as error:
        remedy = "Check who may write there, or set vault_backup_folder."
        raise MastodonError(f"File {file}", "cannot be written", error.strerror or "", remedy) from error


TASK = Task(ARGUMENTS, run_task)
