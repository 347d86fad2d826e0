# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Package Helm charts and write the index of a chart repository, the same bytes for the same content.

Format: https://helm.sh/docs/topics/chart_repository/
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_lab.build.store import files_below
from mastodon_lab.errors import LabError

# Whoever compares two builds wants the same bytes; Helm only shows this.
CREATED = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Chart:
    """A chart: path below its folder → content."""

    name: str
    version: str
    app_version: str
    files: Mapping[str, bytes]


def from_folder(folder: Path, name: str, version: str, app_version: str) -> Chart:
    """The chart in `folder` as its release would be: with these versions, without subcharts and tests."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files_below(folder)
        if path.relative_to(folder).parts[0] not in ("Chart.lock", "ci", "tests") and not _is_note(path, folder)
    }
    if "Chart.yaml" not in files:
        raise LabError(f"Chart {name}: there is no Chart.yaml in {folder}. Restore that folder.")
    files["Chart.yaml"] = _released(files["Chart.yaml"].decode(), version, app_version).encode()
    return Chart(name, version, app_version, files)


def _is_note(path: Path, folder: Path) -> bool:
    # Charts name them in .helmignore, as Helm takes everything below templates for one.
    return path.suffix == ".md" and path.relative_to(folder).parts[0] == "templates"


def _released(metadata: str, version: str, app_version: str) -> str:
    for field, value in (("version", version), ("appVersion", app_version)):
        metadata = re.sub(rf"(?m)^{field}:.*$", f'{field}: "{value}"', metadata)
    # A dependency that isn't packaged with the chart makes Helm refuse it, enabled or not.
    return re.sub(r"(?m)^dependencies:\n(?:[ -].*\n?)*", "", metadata)


def write_repository(folder: Path, *charts: Chart) -> None:
    """Write `charts` and their index.yaml into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = {}
    for chart in charts:
        package = _package(chart)
        file = f"{chart.name}-{chart.version}.tgz"
        (folder / file).write_bytes(package)
        entries[chart.name] = [
            {
                "apiVersion": "v2",
                "name": chart.name,
                "version": chart.version,
                "appVersion": chart.app_version,
                "created": CREATED,
                "digest": hashlib.sha256(package).hexdigest(),
                "urls": [file],
            }
        ]
    # JSON is YAML.
    index = {"apiVersion": "v1", "generated": CREATED, "entries": entries}
    (folder / "index.yaml").write_text(json.dumps(index, indent=1) + "\n")


def _package(chart: Chart) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        # Helm wants Chart.yaml early.
        for name in sorted(chart.files, key=lambda path: (path != "Chart.yaml", path)):
            member = tarfile.TarInfo(f"{chart.name}/{name}")
            member.size, member.mode = len(chart.files[name]), 0o644
            archive.addfile(member, io.BytesIO(chart.files[name]))
    return packed.getvalue()
