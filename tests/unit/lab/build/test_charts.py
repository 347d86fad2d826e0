# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest
from mastodon_lab.build.charts import Chart, from_folder, write_repository
from mastodon_lab.errors import LabError

METADATA = """\
apiVersion: v2
name: thing
version: v0.0.0
appVersion: v0.0.0
dependencies:
  - name: other
    version: v0.5.1
    repository: oci://example.org/charts
    condition: other.enabled
"""


def source(path: Path) -> Path:
    (path / "templates").mkdir()
    (path / "tests").mkdir()
    (path / "Chart.yaml").write_text(METADATA)
    (path / "Chart.lock").write_text("digest: x\n")
    (path / "templates/web.yaml").write_text("kind: Service\n")
    (path / "templates/README.md").write_text("{{ not a template }}\n")
    (path / "tests/web_test.yaml").write_text("suite: web\n")
    (path / "README.md").write_text("# Thing\n")
    return path


def test_a_folder_becomes_its_release(tmp_path: Path) -> None:
    chart = from_folder(source(tmp_path), "thing", "1.2.3", "v4.5.6")
    assert set(chart.files) == {"Chart.yaml", "templates/web.yaml", "README.md"}
    assert chart.files["Chart.yaml"].decode() == 'apiVersion: v2\nname: thing\nversion: "1.2.3"\nappVersion: "v4.5.6"\n'


@pytest.mark.parametrize(
    ("behind", "left"),
    [
        ("", ""),
        ("home: https://example.org\n", "home: https://example.org\n"),
        ("annotations:\n  version: kept\n", "annotations:\n  version: kept\n"),
    ],
)
def test_only_dependencies_and_versions_change(tmp_path: Path, behind: str, left: str) -> None:
    source(tmp_path)
    (tmp_path / "Chart.yaml").write_text(METADATA + behind)
    changed = from_folder(tmp_path, "thing", "1.2.3", "v4.5.6").files["Chart.yaml"].decode()
    assert changed.endswith('appVersion: "v4.5.6"\n' + left)


def test_a_folder_without_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^Chart thing: there is no Chart\.yaml in "):
        from_folder(tmp_path / "nowhere", "thing", "1", "1")


CHART = Chart("thing", "1.2.3", "v4", {"values.yaml": b"{}\n", "Chart.yaml": b"name: thing\n", "a/b": b"x"})


def test_repository_has_package_and_index(tmp_path: Path) -> None:
    write_repository(tmp_path / "charts", CHART)
    index = json.loads((tmp_path / "charts/index.yaml").read_text())
    (entry,) = index["entries"]["thing"]
    package = (tmp_path / "charts" / entry["urls"][0]).read_bytes()
    assert entry["digest"] == hashlib.sha256(package).hexdigest()
    assert (entry["name"], entry["version"], entry["appVersion"], entry["apiVersion"]) == ("thing", "1.2.3", "v4", "v2")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(package))) as archive:
        assert archive.getnames() == ["thing/Chart.yaml", "thing/a/b", "thing/values.yaml"]
        content = archive.extractfile("thing/a/b")
        assert content
        assert content.read() == b"x"


def test_same_chart_same_bytes(tmp_path: Path) -> None:
    for name in ("1", "2"):
        write_repository(tmp_path / name, CHART)
    first, second = ((tmp_path / name / "thing-1.2.3.tgz").read_bytes() for name in ("1", "2"))
    assert first == second
