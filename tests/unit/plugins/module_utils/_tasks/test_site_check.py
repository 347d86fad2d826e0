# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site asked over real TLS: what its answers are taken for, by whose certificates, and what is said when it is silent."""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.site import answers, visitor, way
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import Service
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._net import https
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import site_check
from ansible_collections.fediverse.mastodon.tests.unit.certificates import Authority
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._reconcile.fake_api import FakeApi, kind

NOBODY: Any = None
HOST, DOMAIN, MEDIA = "social.example.org", "example.org", "media.example.org"
XML = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
INSTANCE = json.dumps({"domain": DOMAIN, "version": "4.7.4"}).encode()
LOOKUP = f"/.well-known/webfinger?resource=acct:{DOMAIN}@{DOMAIN}"
FINGER = f"https://{HOST}{LOOKUP}"
# What each host of a Mastodon that is well answers: status, body, and where it leads to.
WELL: Mapping[tuple[str, str], tuple[int, bytes, str]] = {
    (HOST, "/health"): (200, b"OK", ""),
    (HOST, "/api/v2/instance"): (200, INSTANCE, ""),
    (HOST, "/api/v1/streaming/health"): (200, b"OK", ""),
    (DOMAIN, LOOKUP): (301, b"", FINGER),
    (MEDIA, "/"): (403, XML, ""),
}
WANTED: Mapping[str, Any] = {
    "namespace": "mastodon",
    "name": "mastodon",
    "domain": DOMAIN,
    "web_domain": HOST,
    "media_hostname": MEDIA,
    "gateway_namespace": "edge",
    "gateway_name": "shared",
    "publicly_trusted": True,
    "domain_elsewhere": False,
    "version": "",
}
SERVED = (
    kind("", "Service"),
    kind("apps", "Deployment"),
    kind("helm.toolkit.fluxcd.io", "HelmRelease", version="v2"),
    kind("gateway.networking.k8s.io", "Gateway"),
)


@dataclass
class Issuer:
    """What the Gateway serves: the newest certificate that is issued."""

    folder: Path
    authority: Authority = field(default_factory=Authority)

    def issue(self, *hosts: str, days: int = 1) -> str:
        """Return a certificate for these hosts, with its key beside it."""
        pem, key = self.authority.issue(*hosts, days=days, begun=9)
        (self.folder / "served.pem").write_text(pem + key)
        return pem


class Server:
    """A Gateway with a Mastodon behind it, on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.answers = dict(WELL)
        self.asked: list[tuple[str, str]] = []
        self.dialled = 0
        # Who waits here before the answer.
        self.gathered: Barrier | None = None
        self.issuer = Issuer(folder)
        self.root = self.issuer.authority.certificate
        self.chain = self.issuer.issue(HOST, DOMAIN, MEDIA)
        self._folder = folder
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = (self.headers["Host"], self.path)
                server.asked.append(key)
                if server.gathered and key != next(iter(WELL)):
                    server.gathered.wait(10)
                status, body, location = server.answers.get(key, (404, b"no such page", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_unused: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def dial(self) -> socket.socket:
        """Return a socket to it, behind which TLS ends."""
        self.dialled += 1
        ours, theirs = socket.socketpair()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "served.pem")
        Thread(target=self._serve, args=(context, theirs), daemon=True).start()
        return ours

    def _serve(self, context: ssl.SSLContext, link: socket.socket) -> None:
        try:
            with context.wrap_socket(link, server_side=True) as secured:
                self._http.finish_request(secured, ("127.0.0.1", 0))
        except OSError:
            link.close()

    def stop(self) -> None:
        self._http.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.stop()


def release(*statuses: str) -> dict[str, Any]:
    history = [{"status": status, "lastDeployed": "2026-11-24T09:30:00Z"} for status in statuses]
    entries = [{"id": "mastodon_web_apps_Deployment", "v": "v1"}]
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"namespace": "mastodon", "name": "mastodon"},
        "status": {"history": history, "inventory": {"entries": entries}},
    }


GATEWAY = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "Gateway",
    "metadata": {"namespace": "edge", "name": "shared"},
    "spec": {"listeners": [{"name": "web", "hostname": HOST, "tls": {"certificateRefs": [{"name": "tls"}]}}]},
    "status": {"addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]},
}


@dataclass
class Asked:
    """One run of the task against a server."""

    monkeypatch: pytest.MonkeyPatch
    server: Server
    said: list[str] = field(default_factory=list)

    def __call__(
        self,
        *objects: dict[str, Any],
        check: bool = False,
        publicly: bool = True,
        unreadable: tuple[str, ...] = (),
        **wanted: Any,
    ) -> dict[str, Any]:
        patch, server = self.monkeypatch, self.server
        api = FakeApi(*(objects or (release("deployed"), GATEWAY)), served=SERVED)
        api.unreadable = set(unreadable)
        patch.setattr(site_check, "connect", lambda *_unused: None)
        patch.setattr(answers, "open_objects", lambda *_unused: api)
        patch.setattr(way, "to", lambda *_unused: way.Way(server.dial, "192.0.2.1"))
        patch.setattr(answers, "read_secret", lambda *place: Secret("edge/tls", {"tls.crt": server.chain}))
        if publicly:
            # As if this machine trusted that authority.
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trust.load_verify_locations(cadata=server.root)
            patch.setattr(https.ssl, "create_default_context", lambda: trust)
        run = Run(check=check, diff=False, say=self.said.append, environment={})
        return site_check.run_task({"site": {**WANTED, **wanted}, "report": ["the end"], "wait_timeout": 0}, run)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, server: Server) -> Asked:
    return Asked(monkeypatch, server)


def test_a_site_that_answers_as_it_must_is_reported_with_its_version_and_then_what_is_to_be_reported(
    asked: Asked, server: Server
) -> None:
    reported = f"Mastodon https://{HOST}: answers for {DOMAIN} at 192.0.2.1, version 4.7.4"
    assert asked() == {"changed": False, "verdict": "passed", "result": reported}
    assert asked.said == [reported, "the end"]
    assert sorted(server.asked) == sorted(WELL)


@pytest.mark.parametrize("said", ["4.7.4", "4.7.4+build"])
def test_the_release_that_is_wanted_must_answer(asked: Asked, server: Server, said: str) -> None:
    answer = json.dumps({"domain": DOMAIN, "version": said}).encode()
    server.answers[HOST, "/api/v2/instance"] = (200, answer, "")
    assert asked(version="v4.7.4")["verdict"] == "passed"
    with pytest.raises(MastodonError, match=f"it is version {re.escape(said)} that answers, not v4.7.5"):
        asked(version="v4.7.5")


def test_all_but_the_first_are_asked_at_once(asked: Asked, server: Server) -> None:
    server.gathered = Barrier(len(WELL) - 1)
    assert asked()["verdict"] == "passed"


def test_who_does_not_know_the_certificate_asks_no_more(asked: Asked, server: Server) -> None:
    with pytest.raises(MastodonError, match="unable to get local issuer certificate"):
        asked(publicly=False)
    assert server.dialled == 1


@pytest.mark.parametrize(
    ("key", "answer", "reported"),
    [
        ((HOST, "/api/v2/instance"), (503, b"", ""), f"503 Service Unavailable (https://{HOST}/api/v2/instance)"),
        ((HOST, "/api/v2/instance"), (200, b"<html>", ""), "its answer is not JSON, so it is not Mastodon's"),
        ((HOST, "/api/v2/instance"), (200, b"[]", ""), f"it answers for no domain, not for {DOMAIN}"),
        ((HOST, "/api/v2/instance"), (200, b'{"domain": "other"}', ""), f"it answers for other, not for {DOMAIN}"),
        (
            (HOST, "/health"),
            (500, b"", ""),
            "500 Internal Server Error, which Mastodon says to all that comes from a Gateway whose pods are not in "
            f"mastodon_trusted_proxies, besides other errors (https://{HOST}/health)",
        ),
        ((HOST, "/api/v1/streaming/health"), (404, b"", ""), "404 Not Found"),
        ((DOMAIN, LOOKUP), (404, b"", ""), f"404 Not Found, and not a redirect to {FINGER}"),
        ((DOMAIN, LOOKUP), (301, b"", "https://x/"), "301 Moved Permanently to https://x/, and not"),
        # Whoever drops the query leaves Mastodon without a question.
        ((DOMAIN, LOOKUP), (301, b"", FINGER.partition("?")[0]), f"and not a redirect to {FINGER}"),
        ((MEDIA, "/"), (404, b"404 page not found", ""), "404 Not Found, and not the answer of an S3 server"),
        ((MEDIA, "/"), (503, XML, ""), "503 Service Unavailable, and not the answer of an S3 server"),
    ],
)
def test_one_wrong_answer_fails_all(
    asked: Asked, server: Server, key: tuple[str, str], answer: tuple[int, bytes, str], reported: str
) -> None:
    server.answers[key] = answer
    with pytest.raises(MastodonError) as caught:
        asked()
    assert str(caught.value).startswith(f"Mastodon https://{HOST}: does not answer as it must: ")
    assert reported in str(caught.value)
    assert "Check its pods: kubectl get pods -n mastodon." in str(caught.value)


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Iterator[Server]:
    """The web site of the domain, which everybody but the Gateway's listeners leads to; of the Gateway's authority."""
    folder = tmp_path / "another"
    folder.mkdir()
    made = Server(folder)
    made.issuer.authority = server.issuer.authority
    made._folder = tmp_path
    monkeypatch.setattr(visitor, "by_name", lambda host: made.dial)
    yield made
    made.stop()


def test_a_domain_of_another_web_site_is_asked_there(asked: Asked, server: Server, another: Server) -> None:
    assert asked(domain_elsewhere=True)["verdict"] == "passed"
    assert another.asked == [(DOMAIN, LOOKUP)]
    assert (DOMAIN, LOOKUP) not in server.asked


def test_another_web_site_that_sends_nobody_on_fails_with_what_it_must_do(asked: Asked, another: Server) -> None:
    another.answers[DOMAIN, LOOKUP] = (404, b"", "")
    with pytest.raises(MastodonError) as caught:
        asked(domain_elsewhere=True)
    assert f"404 Not Found, and not a redirect to {FINGER}, have whoever serves {DOMAIN} send on" in str(caught.value)


def test_another_web_site_out_of_reach_is_skipped_and_did_not_pass(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "by_name", lambda host: unreachable)
    result = asked(domain_elsewhere=True)
    assert result["verdict"] == "skipped"
    skipped = f"skipped the request to https://{DOMAIN}{LOOKUP}: No route to host"
    assert result["result"].endswith(f"version 4.7.4; {skipped}")


def test_another_web_site_of_the_same_private_authority_is_trusted_as_the_site_is(
    asked: Asked, server: Server, another: Server
) -> None:
    server.chain = server.root
    assert asked(publicly=False, publicly_trusted=False, domain_elsewhere=True)["verdict"] == "passed"
    assert another.asked == [(DOMAIN, LOOKUP)]


def test_another_web_site_with_a_certificate_of_nobody_known_fails(
    asked: Asked, another: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "nobody"
    folder.mkdir()
    Issuer(folder).issue(DOMAIN)
    another._folder = folder
    with pytest.raises(MastodonError, match="its certificate is not valid"):
        asked(domain_elsewhere=True)


def test_what_is_wrong_behind_the_release_is_named_first(asked: Asked, server: Server) -> None:
    server.answers.clear()
    with pytest.raises(MastodonError) as caught:
        asked()
    assert "as it must: Deployment mastodon/web is missing; 404 Not Found (" in str(caught.value)


def test_what_may_not_be_seen_behind_the_release_hides_nothing(asked: Asked, server: Server) -> None:
    server.answers.clear()
    with pytest.raises(MastodonError) as caught:
        asked(unreadable=("Deployment",))
    assert "as it must: Deployment mastodon/web: is not permitted (403): forbidden. Give the right; 404 " in str(
        caught.value
    )


def test_a_certificate_of_nobody_known_fails(asked: Asked) -> None:
    with pytest.raises(MastodonError) as caught:
        asked(publicly=False)
    assert "its certificate is not valid: unable to get local issuer certificate" in str(caught.value)


def test_what_is_to_be_reported_is_reported_of_a_site_that_does_not_answer_too(asked: Asked) -> None:
    with pytest.raises(MastodonError):
        asked(publicly=False)
    assert asked.said == ["the end"]


def test_a_certificate_of_a_private_authority_passes_where_that_was_asked_for_and_is_reported(asked: Asked) -> None:
    reported = asked(publicly=False, publicly_trusted=False)["result"]
    assert reported.endswith("version 4.7.4, by a certificate that browsers do not know")


def test_another_certificate_than_the_gateway_is_to_serve_fails(asked: Asked, server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    server.chain = Issuer(folder).issue(HOST)
    with pytest.raises(MastodonError, match="its certificate is not valid"):
        asked(publicly=False, publicly_trusted=False)


@pytest.mark.parametrize("publicly_trusted", [True, False])
def test_a_certificate_for_other_hosts_or_an_old_one_fails(
    asked: Asked, server: Server, publicly_trusted: bool
) -> None:
    server.chain = server.issuer.issue(DOMAIN, MEDIA)
    with pytest.raises(MastodonError, match="its certificate is not valid: Hostname mismatch"):
        asked(publicly=publicly_trusted, publicly_trusted=publicly_trusted)
    server.chain = server.issuer.issue(HOST, DOMAIN, MEDIA, days=-1)
    with pytest.raises(MastodonError, match="certificate has expired"):
        asked(publicly=publicly_trusted, publicly_trusted=publicly_trusted)


@pytest.mark.parametrize("objects", [(GATEWAY,), (release("failed"), GATEWAY)])
def test_check_mode_skips_a_mastodon_that_is_not_there_yet(asked: Asked, server: Server, objects: Any) -> None:
    result = asked(*objects, check=True)
    reported = f"skipped the request to Mastodon https://{HOST}: HelmRelease mastodon/mastodon was never installed"
    assert result == {"changed": False, "verdict": "skipped", "result": reported}
    assert server.asked == []


def test_a_run_does_not_skip_a_mastodon_that_is_not_there(asked: Asked) -> None:
    with pytest.raises(MastodonError, match="HelmRelease mastodon/mastodon was never installed"):
        asked(release("failed"), GATEWAY)


def test_check_mode_asks_a_mastodon_that_is_there(asked: Asked, server: Server) -> None:
    server.answers[HOST, "/health"] = (503, b"", "")
    result = asked(check=True)
    # A run may put it right.
    assert result["verdict"] == "failed"
    assert result["result"].startswith("check mode: Mastodon https://")
    assert "503 Service Unavailable" in result["result"]


def test_a_gateway_that_is_gone_is_named(asked: Asked) -> None:
    with pytest.raises(MastodonError, match="Gateway edge/shared: does not exist"):
        asked(release("deployed"))


def balanced(**fields: Any) -> dict[str, Any]:
    metadata = {"namespace": "ingress", "name": "lb", **fields.pop("metadata", {})}
    spec = {"ports": [{"port": 443}], **fields.pop("spec", {})}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, **fields}


@pytest.mark.parametrize(
    ("service", "namespace"),
    [
        (balanced(status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}), "ingress"),
        (balanced(spec={"clusterIP": "192.0.2.1"}), "ingress"),
        (balanced(spec={"externalIPs": ["192.0.2.1"]}), "ingress"),
        (balanced(metadata={"namespace": "edge", "labels": {way._OF_GATEWAY: "shared"}}), "edge"),
    ],
)
def test_an_address_out_of_reach_is_reached_through_the_api_server(
    monkeypatch: pytest.MonkeyPatch, service: dict[str, Any], namespace: str
) -> None:
    monkeypatch.setattr(socket, "create_connection", unreachable)
    dialled: list[Service] = []
    monkeypatch.setattr(way, "dial", lambda _unused, wanted: dialled.append(wanted))
    found = way.to(GATEWAY, FakeApi(service, served=SERVED), NOBODY)
    found.dial()
    assert dialled == [Service(namespace, "lb", 443)]
    assert found.label == f"Service {namespace}/lb, through the API server"


@pytest.mark.parametrize(
    "service",
    [
        balanced(),
        balanced(spec={"clusterIP": "192.0.2.1", "ports": [{"port": 80}]}),
        balanced(metadata={"labels": {way._OF_GATEWAY: "shared"}}),
    ],
)
def test_no_way_at_all_is_a_reason_and_no_ok(monkeypatch: pytest.MonkeyPatch, service: dict[str, Any]) -> None:
    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(way.NoWayError) as caught:
        way.to(GATEWAY, FakeApi(service, served=SERVED), NOBODY)
    assert str(caught.value) == (
        "192.0.2.1 cannot be reached from here: No route to host; no Service is known to lead to the Gateway"
    )


def unreachable(*_unused: Any, **_unused_too: Any) -> socket.socket:
    raise OSError(113, "No route to host")
