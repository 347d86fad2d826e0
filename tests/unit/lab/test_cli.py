# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mastodon_lab import cli, host
from mastodon_lab.cluster import health
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab
from mastodon_lab.parts import platform
from mastodon_lab.status import PartStatus

READY = PartStatus("node", ready=True, version="v1.36.3")
WAITING = PartStatus("kubelet", ready=False, reason="ended with 1")
STAND_IN = PartStatus("mastodon chart", ready=True, stand_in=True)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is refused, and nothing leaves the test's folder."""
    monkeypatch.setattr(host, "refuse_caller", lambda *facts: None)
    monkeypatch.setattr(cli, "STATES", tmp_path / "states")
    monkeypatch.setattr(cli, "CACHE", tmp_path / "cache")
    for name in ("LAB_NAME", "LAB_STATE", "LAB_CACHE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def brought_up(monkeypatch: pytest.MonkeyPatch) -> list[Lab]:
    """The labs that `up` was asked for."""
    labs: list[Lab] = []
    monkeypatch.setattr(cli, "up", lambda lab, progress: labs.append(lab))
    return labs


def status_of(monkeypatch: pytest.MonkeyPatch, cluster: list[PartStatus], parts: Callable[[Lab], object]) -> None:
    monkeypatch.setattr(health, "check", lambda lab: tuple(cluster))
    monkeypatch.setattr(platform, "status", parts)


def test_the_lab_is_default_at_index_0_unless_another_is_given(tmp_path: Path, brought_up: list[Lab]) -> None:
    assert cli.main(["up"]) == 0
    assert brought_up == [Lab("default", 0, tmp_path / "states/default", tmp_path / "cache", frozenset())]


def test_name_index_and_folders_can_be_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brought_up: list[Lab]
) -> None:
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "s"))
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "c"))
    assert cli.main(["up", "--name", "other", "--index", "3"]) == 0
    assert brought_up == [Lab("other", 3, tmp_path / "s", tmp_path / "c", frozenset())]


def test_a_lab_keeps_the_index_and_the_parts_it_was_made_with(tmp_path: Path, brought_up: list[Lab]) -> None:
    (tmp_path / "states/other").mkdir(parents=True)
    (tmp_path / "states/other/made.json").write_text('{"identity": "", "index": 4, "parts": ["traefik"]}')
    cli.main(["up", "--name", "other"])
    cli.main(["up", "--name", "other", "--with", "openbao,s3"])
    assert [lab.index for lab in brought_up] == [4, 4]
    assert [lab.parts for lab in brought_up] == [{"traefik"}, {"traefik", "openbao", "s3"}]


def test_a_lab_keeps_the_way_that_it_gets_its_node(tmp_path: Path, brought_up: list[Lab]) -> None:
    (tmp_path / "states/other").mkdir(parents=True)
    (tmp_path / "states/other/made.json").write_text('{"identity": "", "index": 4, "parts": [], "way": "kind"}')
    cli.main(["up"])
    cli.main(["up", "--on", "kind"])
    cli.main(["up", "--name", "other"])
    assert [lab.way for lab in brought_up] == ["machine", "kind", "kind"]


def test_leaving_parts_out_brings_no_web_site_and_keeps_one_that_is_named(brought_up: list[Lab]) -> None:
    assert cli.main(["up", "--with", "all", "--without", "ceph"]) == 0
    assert cli.main(["up", "--with", "all,website", "--without", "ceph"]) == 0
    assert [lab.has("website") for lab in brought_up] == [False, True]
    assert [(lab.has("traefik"), lab.has("ceph")) for lab in brought_up] == [(True, False)] * 2


def test_parts_can_be_left_out(brought_up: list[Lab]) -> None:
    assert cli.main(["up", "--with", "all", "--without", "ceph"]) == 0
    assert brought_up[0].has("traefik")
    assert brought_up[0].has("site")
    assert not brought_up[0].has("ceph")


def test_what_a_lab_has_already_is_not_left_out(
    tmp_path: Path, brought_up: list[Lab], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "states/default").mkdir(parents=True)
    (tmp_path / "states/default/made.json").write_text('{"identity": "", "index": 0, "parts": ["all"]}')
    assert cli.main(["up", "--with", "all", "--without", "ceph"]) == 1
    assert capsys.readouterr().err == ("lab: Lab default has ceph already: end it by lab/down --purge-state first.\n")
    assert brought_up == []


def test_a_lab_from_before_parts_could_be_chosen_has_them_all(tmp_path: Path, brought_up: list[Lab]) -> None:
    (tmp_path / "states/other").mkdir(parents=True)
    (tmp_path / "states/other/made.json").write_text('{"identity": "", "index": 4}')
    assert cli.main(["up", "--name", "other"]) == 0
    assert brought_up[0].has("traefik", "site")


@pytest.mark.parametrize(
    ("parts", "said"),
    [("opnbao", "Did you mean openbao?"), ("redis,zzz", "Choose one of these."), ("", "there are openbao")],
)
def test_a_part_there_is_not_is_reported_with_those_there_are(
    parts: str, said: str, brought_up: list[Lab], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["up", "--with", parts]) == 1
    reported = capsys.readouterr().err
    assert reported.startswith("lab: There is no part '")
    assert said in reported
    assert brought_up == []


@pytest.mark.parametrize("name", ["", "..", "a/b", "Default", "-x", "x" * 40])
@pytest.mark.parametrize("verb", ["up", "down", "status", "kubeconfig"])
def test_odd_names_are_refused(verb: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, f"--name={name}"]) == 1
    assert "is not a name for a lab" in capsys.readouterr().err


def test_a_note_that_is_no_note_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "states/default").mkdir(parents=True)
    (tmp_path / "states/default/made.json").write_text("{")
    assert cli.main(["status"]) == 1
    assert "made.json: not readable" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (LabError("No disk."), 1, "lab: No disk.\n"),
        (OSError(28, "No space left on device", "/state/x"), 1, "lab: /state/x: No space left on device. "),
        (KeyboardInterrupt(), 130, "lab: interrupted"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    def fail(lab: Lab, progress: object) -> None:
        raise error

    monkeypatch.setattr(cli, "up", fail)
    assert cli.main(["up"]) == code
    assert capsys.readouterr().err.startswith(said)


def test_kubeconfig_prints_nothing_but_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kubeconfig"]) == 1
    assert "run lab/up" in capsys.readouterr().err
    file = tmp_path / "states/default/kubeconfig"
    file.parent.mkdir(parents=True)
    file.touch()
    assert cli.main(["kubeconfig"]) == 0
    assert capsys.readouterr().out == f"{file}\n"


def test_status_shows_every_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status_of(monkeypatch, [READY], lambda lab: [STAND_IN])
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "node            ready      real      v1.36.3",
        "mastodon chart  ready      stand-in",
    ]


def test_status_says_where_production_gets_something_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = PartStatus(
        "secrets", True, "v1", "for site.yml", pinned="v2", here="v1 without cloud", because="v2 is refused"
    )
    status_of(monkeypatch, [READY], lambda lab: [old])
    assert cli.main(["status"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("  v1          for site.yml; pinned v2, here v1 without cloud, because v2 is refused")


def test_status_in_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status_of(monkeypatch, [READY], lambda lab: [STAND_IN])
    assert cli.main(["status", "--json"]) == 0
    same = {"reason": "", "pinned": "", "here": "", "because": ""}
    node = {"name": "node", "ready": True, "real": True, "version": "v1.36.3", **same}
    chart = {"name": "mastodon chart", "ready": True, "real": False, "version": "", **same}
    assert json.loads(capsys.readouterr().out) == {"parts": [node, chart]}


def test_status_asks_no_parts_of_a_cluster_that_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unexpected(lab: Lab) -> object:
        raise AssertionError

    status_of(monkeypatch, [READY, WAITING], unexpected)
    assert cli.main(["status"]) == 1
    assert "kubelet  NOT READY  real                  ended with 1" in capsys.readouterr().out


def test_proving_a_lab_that_is_not_up_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove"]) == 1
    assert "is not up" in capsys.readouterr().err
    assert cli.main(["prove", "--facts", str(tmp_path / "none.json")]) == 1
    assert "none.json is missing" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["logs", "etcd"], ["shell"]])
def test_looking_into_a_lab_that_is_not_up_is_refused(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(verb) == 1
    assert "is not up" in capsys.readouterr().err


def test_each_verb_has_its_command() -> None:
    commands = Path(cli.__file__).parent.parent
    for verb in cli.VERBS:
        assert f"-m mastodon_lab {verb} " in (commands / verb).read_text()
        assert (commands / verb).stat().st_mode & 0o111
