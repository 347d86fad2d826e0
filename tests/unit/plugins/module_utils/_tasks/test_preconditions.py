# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings become one table; one that is failed fails the task, and one that is skipped has a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.finding import Finding, SkippedError, find
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site.visitor import Found
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import CombinedError, MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import preconditions
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import bucket

from ..s3_server import S3

NOBODY: Any = None


def well() -> str:
    return "Clock: right"


def skipped() -> str:
    raise SkippedError("Bucket for media: fediverse.mastodon.site creates it, with Rook")


def failed() -> str:
    raise MastodonError("StorageClass", "none is the default", "", "Mark one.")


@pytest.mark.parametrize(
    ("check", "line"),
    [
        (well, "ok       Clock: right"),
        (skipped, "skipped  Bucket for media: fediverse.mastodon.site creates it, with Rook"),
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


def test_all_is_reported_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_makes_several_fail_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(preconditions, "_checks", lambda *_unused: [failed, well, partial(failed), failed])
    with pytest.raises(CombinedError):
        preconditions.run_task({}, Run(check=False, diff=False, say=said.append, environment={}))
    assert [line.split()[0] for line in said] == ["failed", "ok"]


def doctor(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], **options: Any) -> tuple[list[str], str]:
    """Look at all that can be looked at from here. Returns the table, and what ended the task."""
    said: list[str] = []
    monkeypatch.setattr(preconditions.domain, "delegation", lambda _resolver, host, _zones: f"DNS name {host}: right")
    monkeypatch.setattr(preconditions.smtp, "handshake", lambda login, _dial: f"Mail server {login.host}: well")
    parameters = {name: spec.get("default") for name, spec in preconditions.ARGUMENTS.options.items()}
    with pytest.raises(CombinedError) as caught:
        preconditions.run_task(
            {**parameters, "hosts": ["example.org"], **options},
            Run(check=False, diff=False, say=said.append, environment={"HOME": "/nowhere", **environment}),
        )
    return said, str(caught.value)


SMTP = {"host": "192.0.2.1", "port": 25, "tls": False, "starttls": "always", "method": "plain", "verify": True}
NO_TOKEN = (
    "Vault: no token: /nowhere/.vault-token cannot be read or is empty. Set VAULT_TOKEN or BAO_TOKEN, or log in so that"
    " the file is written."
)


@pytest.fixture
def kubeconfig(monkeypatch: pytest.MonkeyPatch) -> str:
    """A cluster of which every question is answered well."""
    config = {
        "clusters": [{"name": "a", "cluster": {"server": "https://192.0.2.1"}}],
        "users": [{"name": "a", "user": {"token": "x"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "current-context": "a",
    }
    for check in ("version", "clock", "rights"):
        monkeypatch.setattr(preconditions.cluster, check, lambda *_unused, named=check: f"Cluster: right {named}")
    monkeypatch.setattr(preconditions, "Client", lambda _connection: SimpleNamespace(began=None))
    monkeypatch.setattr(preconditions, "Objects", lambda _client: SimpleNamespace(discover=lambda: None))
    return json.dumps(config)


def test_without_a_token_for_vault_all_else_is_looked_at(monkeypatch: pytest.MonkeyPatch, kubeconfig: str) -> None:
    secrets = [{"path": "mastodon/smtp", "keys": ["password"]}]
    options = {"kubeconfig": kubeconfig, "address": "https://192.0.2.1", "secrets": secrets}
    table, error = doctor(monkeypatch, {}, **options, smtp={**SMTP, "path": ""})
    assert error == NO_TOKEN
    assert [line for line in table if not line.startswith("skipped")] == [
        "ok       Cluster: right version",
        "ok       Cluster: right clock",
        "ok       Cluster: right rights",
        "ok       Kinds: none served, as the cluster must bring them",
        f"failed   {NO_TOKEN}",
        "ok       DNS name example.org: right",
        "ok       Mail server 192.0.2.1: well",
    ]
    assert table[-1] == "skipped  Mastodon: no address is set"


def test_where_the_bucket_is_rooks_its_ceph_is_looked_at(monkeypatch: pytest.MonkeyPatch, kubeconfig: str) -> None:
    monkeypatch.setattr(preconditions.ceph, "healthy", lambda _objects, place, _now: f"Ceph in {place}: well")
    bucket = {"bucket": "media", "path": "mastodon/s3", "secret_namespace": "", "secret_name": "", "anyone_reads": True}
    for endpoint, lines in (("http://rook-ceph-rgw-media.storage.svc", 1), ("https://s3.example.org", 0)):
        options = {"kubeconfig": kubeconfig, "s3": {**bucket, "region": "us-east-1", "endpoint": endpoint}}
        table, _error = doctor(monkeypatch, {}, **options)
        assert table.count("ok       Ceph in storage: well") == lines


def test_what_needs_a_secret_of_a_vault_that_cannot_be_asked_is_not_taken_for_well(
    monkeypatch: pytest.MonkeyPatch, kubeconfig: str
) -> None:
    options = {"kubeconfig": kubeconfig, "address": "https://192.0.2.1", "smtp": {**SMTP, "path": "mastodon/smtp"}}
    table, error = doctor(monkeypatch, {}, **options)
    assert error == NO_TOKEN
    assert not [line for line in table if "Mail server" in line]


def test_no_way_to_the_cluster_and_none_to_vault_are_reported_together(monkeypatch: pytest.MonkeyPatch) -> None:
    table, error = doctor(monkeypatch, {}, smtp={**SMTP, "path": ""})
    cluster, vault = error.splitlines()
    assert "kubeconfig" in cluster
    assert vault.startswith("Vault: no address")
    assert "ok       DNS name example.org: right" in table
    assert "ok       Mail server 192.0.2.1: well" in table


def test_a_mail_server_that_only_pods_find_is_not_taken_for_well_without_the_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table, _error = doctor(monkeypatch, {}, smtp={**SMTP, "host": "mail.mail.svc", "path": ""})
    assert not [line for line in table if "Mail server" in line]


def test_vault_is_logged_in_to_once_though_it_refuses(monkeypatch: pytest.MonkeyPatch, kubeconfig: str) -> None:
    tries = []

    def connect(*_unused: Any) -> None:
        tries.append(1)
        raise MastodonError("Vault", "logging in by approle is refused")

    monkeypatch.setattr(preconditions.servers, "connect", connect)
    doctor(monkeypatch, {}, kubeconfig=kubeconfig, smtp={**SMTP, "path": "mastodon/smtp"})
    assert len(tries) == 1


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
    site = {"domain": "example.org", "web_domain": "", "media_hostname": "", "domain_elsewhere": False, "version": ""}
    run = Run(check=False, diff=False, say=print, environment={})
    assert find(lambda: preconditions._site({"site": site}, lambda: NOBODY, run)).state == found


def claimed(monkeypatch: pytest.MonkeyPatch, s3: S3, secret: Secret | None, *, check: bool = False) -> Finding:
    """Look at a bucket whose keys are in a Secret."""
    monkeypatch.setattr(bucket, "read_secret", lambda *_unused: secret)
    place = {"endpoint": s3.endpoint, "bucket": "media", "region": "us-east-1", "anyone_reads": True}
    wanted = {**place, "path": "", "secret_namespace": "mastodon", "secret_name": "mastodon-s3"}
    run = Run(check=check, diff=False, say=print, environment={})
    return find(lambda: preconditions._bucket({"s3": wanted, "mount": "secret"}, lambda: NOBODY, lambda: NOBODY, run))


CLAIMED = Secret("mastodon/mastodon-s3", {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "not-told"})


def test_a_bucket_that_rook_made_is_written_and_read_and_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch, s3: S3
) -> None:
    s3.acls = "obeyed"
    found = claimed(monkeypatch, s3, CLAIMED)
    assert (found.state, s3.objects) == ("ok", {})
    assert found.text.endswith("written with an ACL, read and removed, anyone reads it")
    assert claimed(monkeypatch, s3, CLAIMED, check=True).state == "skipped"


def test_a_bucket_that_rook_will_make_is_passed_over(monkeypatch: pytest.MonkeyPatch, s3: S3) -> None:
    assert claimed(monkeypatch, s3, None) == Finding(
        "skipped", "Bucket for media: fediverse.mastodon.site creates it, with Rook"
    )


def test_a_bucket_that_is_full_is_said_to_be_full(monkeypatch: pytest.MonkeyPatch, s3: S3) -> None:
    s3.full = True
    found = claimed(monkeypatch, s3, CLAIMED)
    assert found.state == "failed"
    assert found.text.endswith(
        "failed: 403 QuotaExceeded. It is full: raise the bound on its size, which for Rook is rook_bucket_size, or remove media."
    )


def test_keys_of_a_claim_that_ceph_does_not_know_any_more_come_with_its_operator(
    monkeypatch: pytest.MonkeyPatch, s3: S3
) -> None:
    s3.accepts = "AKIA-NEW"
    for command, remedy in (
        ("kubectl …", "kubectl …"),
        ("", "Give the keys in Secret mastodon/mastodon-s3 this right"),
    ):
        monkeypatch.setattr(preconditions, "written_again", lambda *_unused, told=command: told)
        found = claimed(monkeypatch, s3, CLAIMED)
        assert found.state == "failed"
        assert f"failed: 403 InvalidAccessKeyId. {remedy}" in found.text


def test_a_bucket_of_rooks_that_gives_no_answer_is_explained_by_its_ceph(
    monkeypatch: pytest.MonkeyPatch, s3: S3
) -> None:
    def silent(*_unused: Any, **_named: Any) -> Any:
        raise TimeoutError("no whole answer came within 60 s")

    monkeypatch.setattr("requests.Session.request", silent)
    monkeypatch.setattr(preconditions, "open_objects", lambda _connection: NOBODY)
    monkeypatch.setattr(preconditions.ceph, "explained", lambda error, _objects, _endpoint: error.cured("Ask Ceph."))
    found = claimed(monkeypatch, s3, CLAIMED)
    told = f"Bucket media at {s3.endpoint}: cannot be reached: no whole answer came within 60 s. Ask Ceph."
    assert found == Finding("failed", told)
