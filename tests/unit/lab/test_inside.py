# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from mastodon_lab import inside
from mastodon_lab.cluster import components
from mastodon_lab.cluster.components import Component
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab("test", 9, tmp_path / "state", tmp_path / "cache")
    made.etc.mkdir(parents=True)
    components.save(made, [Component("etcd", ("/bin/etcd",))])
    made.vault_token.write_text("s.token\n")
    return made


@pytest.mark.parametrize("follow", [False, True])
def test_a_component_s_log_is_a_file(lab: Lab, follow: bool) -> None:
    command = inside.log_command(lab, "etcd", follow=follow)
    assert (command[0], command[-1]) == ("tail", f"{lab.log}/etcd.log")
    assert ("--follow=name" in command) is follow


@pytest.mark.parametrize("follow", [False, True])
def test_a_part_s_log_is_its_pods(lab: Lab, follow: bool) -> None:
    command = inside.log_command(lab, "openbao", follow=follow)
    assert {"logs", "--namespace=openbao", "statefulset/openbao"} <= set(command)
    assert ("--follow" in command) is follow


@pytest.mark.parametrize(("name", "meant"), [("openboa", "Did you mean openbao?"), ("zzz", "Choose one of these.")])
def test_a_name_there_is_not_is_reported_with_those_there_are(lab: Lab, name: str, meant: str) -> None:
    with pytest.raises(LabError, match=f"^Nothing in the lab is called {name}: there are etcd, coredns, .*{meant}"):
        inside.log_command(lab, name, follow=False)


def test_a_shell_finds_the_lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin")
    environment = inside.shell_environment(lab)
    assert environment["KUBECONFIG"] == str(lab.kubeconfig)
    assert (environment["BAO_ADDR"], environment["BAO_TOKEN"]) == (lab.openbao_url, "s.token")
    assert environment["PATH"] == f"{lab.bin}:/bin"


def test_a_shell_is_the_users_or_a_command(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/zsh")
    assert inside.shell_command(lab, [])[-1] == "/bin/zsh"
    assert inside.shell_command(lab, ["kubectl", "get", "pods"])[-3:] == ("kubectl", "get", "pods")


def test_programs_are_linked_anew_when_they_change(lab: Lab, tmp_path: Path) -> None:
    for program in (tmp_path / "old", tmp_path / "new"):
        inside.link_programs(lab, {"kubectl": program, "etcd": program})
        assert (lab.bin / "kubectl").readlink() == program
    assert [path.name for path in lab.bin.iterdir()] == ["kubectl"]
