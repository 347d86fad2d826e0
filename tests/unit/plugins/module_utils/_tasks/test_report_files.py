# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of reports: what is there keeps whatever was set of it, and nothing else than an earlier report is replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import fine
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.forms import FORMS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.reports import destinations, write
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import DECLARED


@cache
def report() -> Mapping[str, Any]:
    """Return one for all, as it has its time."""
    found = [fine("a", "is well").of("inbox")]
    return {"format": 1, "passed": True, "instances": [{**Report(DECLARED, "here", found).plain(found), "changes": {}}]}


def written(**paths: Path) -> None:
    """Write a report, as a look does."""
    write(destinations({form: str(path) for form, path in paths.items()}), report())


def refused(**paths: Path) -> str:
    with pytest.raises(MastodonError) as caught:
        destinations({form: str(path) for form, path in paths.items()})
    return str(caught.value)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize("form", FORMS)
def test_an_earlier_report_of_each_form_is_replaced(tmp_path: Path, form: str) -> None:
    path = tmp_path / "report"
    path.write_text(FORMS[form](report()) + "\n", encoding="utf-8")
    written(**{form: path})
    assert path.read_text(encoding="utf-8") == FORMS[form](report())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("umask", [0o077, 0o000])
def test_a_new_file_can_be_read_by_all_and_written_by_its_owner(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        written(html=tmp_path / "a.html")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.html") == 0o644


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664, 0o400])
def test_a_file_that_is_there_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.prom"
    written(prometheus=path)
    path.chmod(kept)
    written(prometheus=path)
    assert mode(path) == kept


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_file_that_is_there_keeps_its_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "a.prom"
    written(prometheus=path)
    os.chown(path, 12345, 23456)
    path.chmod(0o640)
    written(prometheus=path)
    assert (path.stat().st_uid, path.stat().st_gid, mode(path)) == (12345, 23456, 0o640)


def test_an_owner_that_cannot_be_kept_is_said_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.html"
    path.touch()
    paths = destinations({"html": str(path)})

    def chown(*_unused: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", chown)
    with pytest.raises(MastodonError) as caught:
        write(paths, report())
    assert str(caught.value) == (
        f"Report {path}: cannot be written: Operation not permitted. Check who may write there, and whose the file is."
    )
    assert (list(tmp_path.iterdir()), path.read_text()) == ([path], "")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "data").mkdir()
    target, link = tmp_path / "data/report.json", tmp_path / "report.json"
    if is_there:
        written(json=target)
        target.chmod(0o600)
    link.symlink_to("data/report.json")
    written(json=link)
    assert link.readlink() == Path("data/report.json")
    assert (target.is_symlink(), mode(target)) == (False, 0o600 if is_there else 0o644)
    assert target.read_text() == FORMS["json"](report())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("content", [b"root:x:0:0::/root:/bin/sh\n", b"{}", b"<!doctype html><p>mine", b"\xff\x00"])
def test_a_file_that_is_no_report_is_not_replaced(tmp_path: Path, form: str, content: bytes) -> None:
    path = tmp_path / "mine"
    path.write_bytes(content)
    assert refused(**{form: path}) == (
        f"Report {path}: is not written: the file is there and is no report as {form}. Name another path, or remove the file."
    )
    assert path.read_bytes() == content


def test_a_report_of_another_form_is_not_replaced(tmp_path: Path) -> None:
    for form in FORMS:
        written(**{form: tmp_path / form})
    for form in FORMS:
        for other in set(FORMS) - {form}:
            assert "is no report as" in refused(**{other: tmp_path / form})


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in tmp_path / "pipe", tmp_path, Path(os.devnull):
        assert refused(html=path) == f"Report {path}: is not written: it is no file. Name another path."


def test_an_empty_file_may_be_made_before_with_its_mode(tmp_path: Path) -> None:
    for form in FORMS:
        path = tmp_path / form
        path.touch()
        path.chmod(0o600)
        written(**{form: path})
        assert (path.read_text(encoding="utf-8"), mode(path)) == (FORMS[form](report()), 0o600)


def test_two_forms_are_never_one_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a")
    for other in tmp_path / "a", tmp_path / "link", tmp_path / "." / ".." / tmp_path.name / "a":
        assert refused(html=tmp_path / "a", junit=other) == (
            f"Report {tmp_path / 'a'}: is not written: html and junit name the same file. Give each a path of its own."
        )
