# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that print credentials: what they are given, when they run again, and how each of their failures reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import exec_plugin
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.access import AccessError, Identity
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.entry import Entry
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.exec_plugin import ExecPlugin

V1 = "client.authentication.k8s.io/v1"
PATH = {"PATH": "/usr/bin:/bin"}


def plugin(folder: Path, script: str, cluster: dict[str, Any] | None = None, **config: Any) -> ExecPlugin:
    """A plugin that is this shell script."""
    path = folder / "plugin"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return ExecPlugin({"apiVersion": V1, "command": "./plugin", **config}, Entry(cluster or {}, folder), folder, PATH)


def answer(**status: str) -> str:
    return f"echo '{json.dumps({'apiVersion': V1, 'kind': 'ExecCredential', 'status': status})}'"


def test_a_token_that_does_not_expire_is_asked_for_once(tmp_path: Path) -> None:
    made = plugin(tmp_path, f"echo x >> {tmp_path}/runs; {answer(token='t')}")
    assert made.headers() == made.headers() == {"authorization": "Bearer t"}
    assert made.identity() is None
    assert (tmp_path / "runs").read_text() == "x\n"


@pytest.mark.parametrize(("hours", "runs"), [(-1, "xx"), (1, "x")])
def test_a_token_is_asked_for_again_when_it_has_expired(tmp_path: Path, hours: int, runs: str) -> None:
    expires = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = plugin(tmp_path, f"printf x >> {tmp_path}/runs; {answer(token='t', expirationTimestamp=expires)}")
    made.headers()
    made.headers()
    assert (tmp_path / "runs").read_text() == runs


def test_a_certificate_may_be_given_in_place_of_a_token(tmp_path: Path) -> None:
    made = plugin(tmp_path, answer(clientCertificateData="C", clientKeyData="K"))
    assert made.headers() == {}
    assert made.identity() == Identity("C", "K")


def test_it_runs_with_its_arguments_and_environment_and_is_given_the_cluster(tmp_path: Path) -> None:
    cluster = {
        "server": "https://one",
        "certificate-authority": "ca",
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x"}}],
    }
    (tmp_path / "ca").write_text("CA")
    script = f'printf "%s" "$1,$REGION" > {tmp_path}/said; printf "%s" "$KUBERNETES_EXEC_INFO" > {tmp_path}/info'
    environment = [{"name": "REGION", "value": "eu"}]
    made = plugin(
        tmp_path, f"{script}; {answer(token='t')}", cluster, args=["get"], env=environment, provideClusterInfo=True
    )
    made.headers()
    assert (tmp_path / "said").read_text() == "get,eu"
    reported = {"server": "https://one", "certificate-authority-data": "Q0E=", "config": {"audience": "x"}}
    assert json.loads((tmp_path / "info").read_text()) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {"interactive": False, "cluster": reported},
    }


def test_the_cluster_is_not_given_unasked(tmp_path: Path) -> None:
    plugin(tmp_path, f'printf "%s" "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; {answer(token="t")}').headers()
    assert "cluster" not in json.loads((tmp_path / "info").read_text())["spec"]


@pytest.mark.parametrize(
    ("script", "config", "reported"),
    [
        ("echo no session >&2; exit 3", {}, "ended with 3: no session"),
        ("exit 1", {}, "ended with 1: it printed nothing"),
        ("echo hello", {}, "printed no credentials"),
        ("echo '[]'", {}, "printed no credentials"),
        (answer(), {}, "printed no credentials"),
        ("", {"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "is of apiVersion client.*v1alpha1"),
        ("", {"interactiveMode": "Always"}, "needs a terminal"),
        ("", {"command": "./absent"}, r"absent: No such file or directory$"),
        ("", {"command": "absent-plugin", "installHint": "Get it at example.org."}, "directory. Get it at example.org"),
        ("sleep 5", {}, "did not end within 0.2 s"),
    ],
)
def test_a_failure_is_reported_in_one_clause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, config: dict[str, str], reported: str
) -> None:
    monkeypatch.setattr(exec_plugin, "_SECONDS", 0.2 if "sleep" in script else 60)
    with pytest.raises(AccessError, match=f"its exec plugin .*{reported}"):
        plugin(tmp_path, script, **config).headers()
