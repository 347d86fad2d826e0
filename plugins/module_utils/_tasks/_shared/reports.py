# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of reports: which there may be, and how they are written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.forms import FORMS, is_report

_NEW = 0o644


def destinations(reports: Mapping[str, str | None]) -> Mapping[str, Path]:
    """Return the file of each form, behind all links. Raises MastodonError before a look that could not be kept."""
    paths: dict[str, Path] = {}
    for form, name in sorted(reports.items()):
        if name:
            path = Path(os.path.realpath(Path(name).expanduser()))
            if others := [other for other, taken in paths.items() if taken == path]:
                why = f"{others[0]} and {form} name the same file"
                raise MastodonError(f"Report {path}", "is not written", why, "Give each a path of its own.")
            try:
                _check(form, path)
            except OSError as error:
                remedy = "Check who may read it."
                raise MastodonError(f"Report {path}", "cannot be read", error.strerror or "", remedy) from error
            paths[form] = path
    return paths


def _check(form: str, path: Path) -> None:
    """Raise MastodonError where no report can be, or something else is."""
    what = f"Report {path}"
    if not path.parent.is_dir():
        raise MastodonError(what, "cannot be written", f"{path.parent} is no folder", "Make it, or name another path.")
    if not path.exists():
        return
    if not path.is_file():
        raise MastodonError(what, "is not written", "it is no file", "Name another path.")
    content = path.read_bytes()
    # An empty one may be there for its owner and mode.
    if content and not is_report(form, content):
        why, remedy = f"the file is there and is no report as {form}", "Name another path, or remove the file."
        raise MastodonError(what, "is not written", why, remedy)


def write(paths: Mapping[str, Path], report: Mapping[str, Any]) -> None:
    """Write all forms. Raises MastodonError."""
    for form, path in paths.items():
        try:
            _replace(path, FORMS[form](report))
        except OSError as error:
            remedy = "Check who may write there, and whose the file is."
            raise MastodonError(f"Report {path}", "cannot be written", error.strerror or "", remedy) from error


def _replace(path: Path, text: str) -> None:
    """Write a file so that who reads it, such as Prometheus' node exporter, finds the old or the new one, and never a part.

    What was set of the old one, such as its owner, mode and access list, is set of the new one too.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".federation-") as folder:
        written = Path(folder) / path.name
        with written.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if path.exists():
                old = path.stat()
                os.chown(written, old.st_uid, old.st_gid)
                shutil.copystat(path, written)
                os.utime(written)
            else:
                written.chmod(_NEW)
            os.fsync(file.fileno())
        written.replace(path)
