# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings become one table; one that is failed fails the task, and one that is skipped has a reason."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, SkippedError, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.visitor import Found
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import preconditions
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import KUBERNETES_OPTIONS
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.options import VAULT_OPTIONS

NOBODY: Any = None


def well() -> str:
    return "Clock: right"


def skipped() -> str:
    raise SkippedError("Bucket for media: site.yml creates it, with Rook")


def failed() -> str:
    raise MastodonError("StorageClass", "none is the default", "", "Mark one.")


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (well, "ok       Clock: right"),
        (skipped, "skipped  Bucket for media: site.yml creates it, with Rook"),
        (failed, "failed   StorageClass: none is the default. Mark one."),
    ],
)
def test_a_finding_is_one_line(check: Callable[[], str], line: str) -> None:
    assert find(check).line() == line


def test_what_breaks_is_not_taken_for_well() -> None:
    assert find(lambda: str(1 / 0)).state == "failed"


def examined(monkeypatch: pytest.MonkeyPatch, *checks: Callable[[], str]) -> tuple[Any, list[str]]:
    said: list[str] = []
    monkeypatch.setattr(preconditions, "_checks", lambda *_unused: checks)
    return preconditions.run_task({}, Run(check=False, diff=False, say=said.append, environment={})), said


def test_all_is_told_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    result, said = examined(monkeypatch, well, skipped)
    assert [line.split()[0] for line in said] == ["ok", "skipped"]
    assert result == {"changed": False, "findings": [vars(Finding("ok", "Clock: right")), vars(find(skipped))]}


def test_one_failure_is_enough_and_comes_after_the_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(preconditions, "_checks", lambda *_unused: [failed, well])
    with pytest.raises(CombinedError) as caught:
        preconditions.run_task({}, Run(check=False, diff=False, say=said.append, environment={}))
    assert str(caught.value) == "StorageClass: none is the default. Mark one."
    assert len(said) == 2


def test_what_makes_several_fail_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(preconditions, "_checks", lambda *_unused: [failed, well, partial(failed), failed])
    with pytest.raises(CombinedError):
        preconditions.run_task({}, Run(check=False, diff=False, say=said.append, environment={}))
    assert [line.split()[0] for line in said] == ["failed", "ok"]


def test_no_way_to_the_cluster_and_none_to_vault_are_told_together() -> None:
    parameters = dict.fromkeys((*KUBERNETES_OPTIONS, *VAULT_OPTIONS))
    with pytest.raises(CombinedError) as caught:
        preconditions.run_task(parameters, Run(check=False, diff=False, say=print, environment={"HOME": "/nowhere"}))
    cluster, vault = str(caught.value).splitlines()
    assert "kubeconfig" in cluster
    assert vault.startswith("Vault: no address")


GATEWAY = {
    "name": "shared",
    "namespace": "edge",
    "made": True,
    "gateway_class": "traefik",
    "issuer": "",
    "hostnames": ["example.org"],
    "listener": "",
    "route_namespaces": [],
}


def looked(monkeypatch: pytest.MonkeyPatch, check: Callable[..., str], problems: list[str], **options: Any) -> Finding:
    monkeypatch.setattr(preconditions.gateway, "examine", lambda *_unused: problems)
    return find(lambda: check(options, SimpleNamespace(discover=lambda: None)))


def test_the_class_of_the_gateway_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked(monkeypatch, preconditions._gateway_ready, [], gateway=GATEWAY)
    assert found == Finding("ok", "Gateway edge/shared: to be of GatewayClass traefik")
    found = looked(
        monkeypatch, preconditions._gateway_ready, ["GatewayClass traefik: does not exist."], gateway=GATEWAY
    )
    assert found == Finding("failed", "GatewayClass traefik: does not exist.")
    assert looked(monkeypatch, preconditions._gateway_ready, [], gateway=None).state == "skipped"


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        (preconditions.site.NotInstalledError("HelmRelease m/m was never installed"), "skipped"),
        (MastodonError("Mastodon https://example.org", "does not answer as it must", "503"), "failed"),
        (Found("Mastodon https://example.org: answers", "skipped the request to https://a: No route"), "skipped"),
        (Found("Mastodon https://example.org: answers"), "ok"),
    ],
)
def test_a_mastodon_is_ok_only_where_all_of_it_was_asked_and_answers(
    monkeypatch: pytest.MonkeyPatch, outcome: Found | Exception, found: str
) -> None:
    def examine(*_unused: Any) -> Found:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(preconditions.site, "examine", examine)
    site = {"domain": "example.org", "web_domain": "", "media_hostname": "", "domain_elsewhere": False}
    run = Run(check=False, diff=False, say=print, environment={})
    assert find(lambda: preconditions._site({"site": site}, NOBODY, run)).state == found
