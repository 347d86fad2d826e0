# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task over the library: options in, a table and an exit code out."""

from __future__ import annotations

import json
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from select import select
from threading import Barrier
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import fleet
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.forms import FORMS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage, Way
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import relay, secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.objects import Listing
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.relay import Pod
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.secret import Secret
from ansible_collections.fediverse.mastodon.plugins.module_utils._reconcile.deadline import Deadline
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import federation_check
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import looks
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.instance import INSTANCE
from ansible_collections.fediverse.mastodon.tests.unit.exec_server import kubelet
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.mastodon import (
    DOMAIN,
    HOST,
    MEDIA,
    PICTURE,
    Request,
    Response,
    moved,
    page,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import PUBLIC, World
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.zones import RESOLVER, over_tcp

# Options that are no lists.
TEXTS = ("account", "domain", "web_domain")
GIVEN = {name: option.get("default") for name, option in federation_check.ARGUMENTS.options.items()}


@dataclass
class Asked:
    """One run of the task, looking at a small internet."""

    world: World
    said: list[str] = field(default_factory=list)
    check: bool = False

    def __call__(self, **given: Any) -> dict[str, Any]:
        trusted = {"ca_certificates": [self.world.authority.certificate], "taken_as_public": list(PUBLIC)}
        trusted |= {"nameserver": RESOLVER, "nameserver_port": self.world.zones.port}
        run = Run(check=self.check, diff=False, say=self.said.append, environment={})
        wanted = {**GIVEN, "domain": DOMAIN, "web_domain": HOST, "account": "alice", **trusted, **given}
        return federation_check.run_task(wanted, run)


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    world = World(tmp_path)

    monkeypatch.setattr(looks, "HERE", Vantage("the test", world._way))
    monkeypatch.setattr(looks, "Resolver", partial(Resolver, servers_port=world.zones.port))
    yield Asked(world)
    world.stop()


def test_an_instance_that_is_well_passes_and_is_shown_as_a_table(asked: Asked) -> None:
    asked.world.serve_media()
    result = asked(media_hostname=MEDIA, media_path=PICTURE)
    assert (result["changed"], result["passed"], result["verdict"]) == (False, True, "fine")
    assert "failed" not in result
    assert asked.said[0] == f"example.org as seen from the test: {len(result['findings'])} fine"
    assert asked.said[1] == "DNS fine → TLS fine → HTTP fine → ActivityPub fine"
    assert (
        asked.said[2]
        == "fine         zone example.org: is known to all its name servers: ns1.example.org, ns2.example.org."
    )
    assert len(asked.said) == 2 + len(result["findings"]) > 20


def test_lost_posts_fail_it_and_come_first_with_who_loses_what_why_and_what_is_next(asked: Asked) -> None:
    asked.world.change("/inbox", page(403), method="POST")
    asked.world.change("/nodeinfo", Response(404))
    result = asked()
    assert result["failed"] is True
    assert [(one["check"], one["fault"]) for one in result["findings"]] == [
        ("inbox", "dropped"),
        ("nodeinfo", "absent"),
    ]
    order = [line.split("  ")[0] for line in asked.said[2:] if line[0] != " "]
    found = Counter(order)
    assert order == ["LOST", "SOME", *["skipped"] * found["skipped"], *["fine"] * found["fine"]]
    assert (
        result["msg"] == f"Federation of example.org: 1 LOST, 1 SOME, {found['skipped']} skipped, {found['fine']} fine."
    )
    assert asked.said[2:7] == [
        f"LOST         https://{HOST}/inbox: refuses what others send in a way that is final: "
        "403 Forbidden, text/html, '<!doctype html><html><title>A page</title></html>'.",
        "             Posts to this server are dropped by Mastodon and others, at once and for ever, and nobody learns of it.",
        "             Likely cause: a firewall or proxy refuses it, as the application says 401 to what is not signed.",
        f"             Next: curl -sv -X POST -H 'Content-Type: application/activity+json' -d '{{}}' https://{HOST}/inbox",
        "             See https://github.com/fediverse/mastodon-kubernetes/blob/main/docs/federation/inbox.md#dropped",
    ]


def test_what_is_cut_off_fails_it_and_says_what_others_do_after_seven_days(asked: Asked) -> None:
    asked.world.change("/inbox", Response(503), method="POST")
    assert asked()["failed"] is True
    assert asked.said[-1].startswith(
        "note         After seven days of failures other servers mark this one as unavailable"
    )


def test_what_only_some_lose_does_not_fail_it(asked: Asked) -> None:
    asked.world.change("/.well-known/host-meta", Response(404), host=HOST)
    result = asked()
    assert (result["passed"], result["verdict"]) == (True, "SOME")
    assert "failed" not in result


def test_posts_are_lost_at_a_gateway_without_a_route_though_nothing_says_which_software_it_is(asked: Asked) -> None:
    asked.world.answer = lambda _request: Response(404, b"404 page not found\n")
    assert "LOST" not in {one["verdict"] for one in asked()["findings"]}
    lost = [one for one in asked(software="Mastodon")["findings"] if one["verdict"] == "LOST"]
    assert [(one["subject"], one["fault"]) for one in lost] == [(f"https://{HOST}/inbox", "dropped")]
    assert lost[0]["cause"].startswith("the gateway has no route for this host and path")


UNREACHABLE = {"gateway": {"namespace": "edge", "name": "shared"}, "kubernetes_host": "https://127.0.0.1:1"}


def test_a_cluster_that_cannot_be_reached_is_told_beside_what_is_wrong_and_takes_no_time(asked: Asked) -> None:
    asked.world.change("/inbox", Response(503), method="POST")
    asked.world.checks = ("inbox",)
    began = monotonic()
    assert asked(**UNREACHABLE)["failed"]
    assert monotonic() - began < 20
    [told] = [line for line in asked.said if "The cluster: was not looked at" in line]
    assert told.startswith("skipped      The cluster: was not looked at: ")


def test_a_cluster_that_never_answers_takes_no_more_than_its_share_of_a_look(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation_check, "_PATIENCE", 0.5)
    asked.world.change("/inbox", Response(503), method="POST")
    asked.world.checks = ("inbox",)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = monotonic()
        asked(**{**UNREACHABLE, "kubernetes_host": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        # Half a second, on a machine that has other things to do; a client that nothing limits waits for minutes.
        assert monotonic() - began < 60
    said = "skipped      The cluster: was not looked at: API server http://127.0.0.1:"
    assert [line for line in asked.said if line.startswith(said) and ": cannot be reached: " in line]


def opened_twice(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, list[Any]]:
    """Return the cluster of the looks at two instances, and how long all that is asked there may take."""
    limits: list[Any] = []

    def opened(_connection: object, limit: object = None) -> Any:
        limits.append(limit)
        return SimpleNamespace(read=lambda _selection: Listing((), ""))

    monkeypatch.setattr(federation_check, "connect", lambda *_unused: None)
    monkeypatch.setattr(federation_check, "open_objects", opened)
    monkeypatch.setattr(secret, "open_objects", opened)
    run = Run(check=False, diff=False, say=print, environment={})
    opening = federation_check._opening({"gateway": UNREACHABLE["gateway"]}, run)
    return opening(), opening(), limits


def test_secrets_are_waited_for_no_longer_than_all_of_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    first, _second, limits = opened_twice(monkeypatch)
    assert first.chain("edge", "tls") is None
    assert isinstance(limits[0], Deadline)
    assert limits[2] is limits[0]
    assert limits[0].is_strict


def test_each_of_many_has_time_of_its_own_for_the_cluster_and_what_was_read_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, limits = opened_twice(monkeypatch)
    assert (first.limit, second.limit) == (limits[0], limits[1])
    assert first.limit is not second.limit
    assert first.chain("edge", "tls") is None
    assert second.chain("edge", "tls") is None
    assert len(limits) == 3


def test_a_cluster_that_is_away_fails_nothing_that_is_well(asked: Asked) -> None:
    assert asked(**UNREACHABLE)["passed"]
    assert [line for line in asked.said if line.startswith("skipped      The cluster: was not looked at: ")]


def test_where_nobody_could_be_asked_nothing_has_passed(asked: Asked) -> None:
    asked.world.names.clear()
    result = asked()
    assert (result["failed"], result["verdict"]) == (True, "CUT")
    assert {one["fault"] for one in result["findings"]} == {"all-nowhere"}


def test_followed_hosts_are_followed_however_they_are_written(asked: Asked) -> None:
    world = asked.world
    world.names["www.example.org"] = world.names[HOST]
    next(iter(world.certificates.values())).show(*world.authority.issue("www.example.org"), "www.example.org")
    world.change("/.well-known/nodeinfo", moved("https://www.example.org/.well-known/nodeinfo"), host=DOMAIN)
    world.change("/.well-known/nodeinfo", Response(410), host="www.example.org")
    for given, fault in ([], "redirects-elsewhere"), (["WWW.example.org"], "gone"):
        result = asked(followed_hosts=given)
        assert [one["fault"] for one in result["findings"] if one["check"] == "nodeinfo"] == [fault]


def test_reports_are_written_in_all_forms_and_the_next_look_says_what_changed(asked: Asked, tmp_path: Path) -> None:
    paths = {name: str(tmp_path / f"report.{name}") for name in FORMS}
    assert asked(reports=paths)["changes"] == {}
    assert sorted(path.name for path in tmp_path.glob("report.*")) == sorted(f"report.{name}" for name in FORMS)
    first = json.loads((tmp_path / "report.json").read_text())
    assert (first["passed"], first["instances"][0]["domain"]) == (True, DOMAIN)
    asked.world.change("/inbox", page(403), method="POST")
    asked.said.clear()
    result = asked(reports=paths)
    assert [one["fault"] for one in result["changes"]["new"]] == ["dropped"]
    assert (
        asked.said[1]
        == f"Since {first['instances'][0]['at']}: 1 new, 0 changed, 0 mended, 0 not looked at this time, 0 as before"
    )
    assert "What changed" in (tmp_path / "report.html").read_text()
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("report.*")} == {0o644}


def many(asked: Asked, *instances: dict[str, Any], **given: Any) -> dict[str, Any]:
    """Return the result for these."""
    return asked(domain=None, web_domain="", account="", instances=[whole(one) for one in instances], **given)


def whole(instance: dict[str, Any]) -> dict[str, Any]:
    """Return an instance as Ansible fills it in."""
    return {**{name: option.get("default") for name, option in INSTANCE.items()}, **instance}


def test_many_instances_are_one_report_worst_first(asked: Asked, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    well, nowhere = {"domain": DOMAIN, "web_domain": HOST, "account": "alice"}, {"domain": "nobody.example.org"}
    result = many(asked, well, nowhere, reports={"json": str(path)})
    assert (result["failed"], result["passed"]) == (True, False)
    assert result["msg"].startswith("Federation of nobody.example.org: ")
    assert [one["domain"] for one in result["instances"]] == [DOMAIN, "nobody.example.org"]
    assert [len(one["findings"]) for one in result["instances"]] == [0, 1]
    assert len(json.loads(path.read_text())["instances"][0]["findings"]) > 20
    assert asked.said[:2] == [
        "1 of 2 are proved to be well",
        f"nobody.example.org as seen from the test: {result['instances'][1]['summary']}",
    ]
    assert asked.said[-2].startswith(f"{DOMAIN} as seen from the test: ")
    again = many(asked, well, reports={"json": str(path)})
    assert ("failed" in again, again["instances"][0]["changes"]["same"]) == (False, 0)


def test_many_are_looked_at_side_by_side_and_each_has_time_of_its_own(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(fleet.AT_ONCE)
    alone = fleet.examine

    def examine(*arguments: Any, **more: Any) -> Any:
        together.wait(20)
        assert arguments[-1].is_spent is False
        return alone(*arguments, **more)

    monkeypatch.setattr(fleet, "examine", examine)
    asked.world.names.clear()
    result = many(asked, *({"domain": f"host-{number}.example.org"} for number in range(fleet.AT_ONCE)))
    assert {one["verdict"] for one in result["instances"]} == {"CUT"}


def test_whether_the_cluster_of_many_answers_is_learned_while_they_are_looked_at(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(federation_check, "_PATIENCE", 0.5)
    begun: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def late(_request: Request) -> Response:
            begun.append(bool(select([silent], [], [], 5)[0]))
            return page(403)

        asked.world.change("/inbox", late, method="POST")
        asked.world.checks = ("inbox",)
        cluster = {**UNREACHABLE, "kubernetes_host": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        many(asked, {"domain": DOMAIN, "web_domain": HOST, "account": "alice"}, **cluster)
    assert begun
    assert all(begun)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"domain": None}, "Option domain: is missing. Name a domain, or instances with a domain each."),
        (
            {"instances": [whole({"domain": "example.net"})]},
            "Option account: is wrong: it is of one instance, and instances are given. Write it for each of the instances.",
        ),
        (
            {
                "domain": None,
                "web_domain": "",
                "account": "",
                "instances": [whole({"domain": "example.net"}), whole({"domain": "Example.net"})],
            },
            "Option instances: is wrong: example.net is there twice. Name each instance once.",
        ),
    ],
)
def test_one_instance_is_named_or_many(asked: Asked, given: dict[str, Any], said: str) -> None:
    with pytest.raises(MastodonError) as caught:
        asked(**given)
    assert str(caught.value) == said
    assert asked.world.asked == []


def test_another_earlier_report_may_be_named(asked: Asked, tmp_path: Path) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    asked.world.change("/nodeinfo", Response(404))
    asked(reports={"json": str(before), "html": None})
    asked(reports={"json": str(after)})
    kept = before.read_text()
    result = asked(reports={"json": str(after)}, since=str(before))
    assert (result["changes"]["same"], result["changes"]["since"]) == (1, json.loads(kept)["instances"][0]["at"])
    assert before.read_text() == kept


def test_check_mode_writes_no_report(asked: Asked, tmp_path: Path) -> None:
    asked.check = True
    assert asked(reports={"json": str(tmp_path / "a.json")})["passed"]
    assert not (tmp_path / "a.json").exists()


def test_reports_are_written_before_anything_is_shown(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    monkeypatch.setattr(looks, "table", lambda _report: iter([str(path.exists())]))
    asked(reports={"json": str(path)})
    assert asked.said == ["True"]


def test_what_was_seen_is_shown_though_a_report_cannot_be_written(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(*_unused: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(MastodonError, match="No space left on device"):
        asked(reports={"json": str(tmp_path / "a.json")})
    assert asked.said[0].startswith(f"{DOMAIN} as seen from the test: ")


def test_a_file_that_is_no_report_is_neither_compared_nor_replaced(asked: Asked, tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    path.write_text("{}")
    with pytest.raises(MastodonError) as caught:
        asked(reports={"json": str(path)})
    assert str(caught.value) == (
        f"Report {path}: is not written: the file is there and is no report as json. Name another path, or remove the file."
    )
    assert path.read_text() == "{}"
    assert asked.world.asked == []


def test_an_earlier_report_that_is_named_must_be_there(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(MastodonError) as caught:
        asked(since=str(tmp_path / "none.json"))
    assert (
        str(caught.value) == f"Report {tmp_path}/none.json: cannot be read: No such file or directory. Check its path."
    )


def test_a_report_that_cannot_be_written_is_named_before_anybody_is_asked(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(MastodonError) as caught:
        asked(reports={"html": str(tmp_path / "none/a.html")})
    assert str(caught.value) == (
        f"Report {tmp_path}/none/a.html: cannot be written: {tmp_path}/none is no folder. Make it, or name another path."
    )
    assert asked.world.asked == []


@pytest.mark.parametrize("key", ["ca.crt", "tls.crt"])
def test_an_authority_in_the_cluster_is_trusted(asked: Asked, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    read: list[tuple[str, ...]] = []

    def secret(_connection: object, *place: str) -> Secret:
        read.append(place)
        return Secret("gateway/ca", {key: asked.world.authority.certificate, "tls.key": "a secret"})

    monkeypatch.setattr(federation_check, "must_have_secret", secret)
    place = {"ca_certificates": [], "ca_secret": {"namespace": "gateway", "name": "ca"}}
    assert asked(**place, kubernetes_host="https://192.0.2.1")["passed"]
    assert read == [("gateway", "ca")]
    assert "a secret" not in str(asked.said)
    assert not asked(ca_certificates=[])["passed"]
    assert len(read) == 1


def test_a_secret_without_a_certificate_is_named(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(federation_check, "must_have_secret", lambda *_unused: Secret("gateway/ca", {"tls.key": "x"}))
    with pytest.raises(MastodonError) as caught:
        asked(ca_secret={"namespace": "gateway", "name": "ca"}, kubernetes_host="https://192.0.2.1")
    assert str(caught.value) == (
        "Secret gateway/ca: has no certificate: neither ca.crt nor tls.crt is in it. Wait until cert-manager has written it."
    )


def test_a_web_domain_that_is_not_given_is_the_domain(asked: Asked) -> None:
    asked(web_domain="", domain=HOST.upper())
    assert {request.host for request in asked.world.asked} == {HOST}


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (
            "domain",
            "https://example.org/",
            "Option domain: is wrong: 'https://example.org/' is no name of a host. Write it as example.org.",
        ),
        (
            "web_domain",
            "social.example.org:443",
            "Option web_domain: is wrong: 'social.example.org:443' is no name of a host. Write it as social.example.org.",
        ),
        (
            "account",
            "@alice@example.org",
            "Option account: is wrong: '@alice@example.org' is no name of an account. Write it as alice, without its domain.",
        ),
        (
            "followed_hosts",
            ["a b"],
            "Option followed_hosts: is wrong: 'a b' is no name of a host. Write it as www.example.org.",
        ),
        (
            "addresses",
            "192.0.2.0/24",
            "Option addresses: is wrong: '192.0.2.0/24' does not appear to be an IPv4 or IPv6 address. Write it as 203.0.113.7.",
        ),
        (
            "taken_as_public",
            "10.0.0.1/8",
            "Option taken_as_public: is wrong: 10.0.0.1/8 has host bits set. Write it as 203.0.113.0/24.",
        ),
        (
            "ca_certificates",
            "no certificate",
            "Option ca_certificates: cannot be read: SSLError. Give each as PEM, from BEGIN to END CERTIFICATE.",
        ),
    ],
)
def test_an_option_that_cannot_be_read_is_named(asked: Asked, option: str, value: Any, said: str) -> None:
    with pytest.raises(MastodonError) as caught:
        asked(**{option: value if isinstance(value, list) or option in TEXTS else [value]})
    assert str(caught.value) == said
    assert asked.world.asked == []


@dataclass(frozen=True)
class Elsewhere:
    """A machine that opens connections of the small internet."""

    way: Way


def test_an_instance_is_looked_at_from_another_machine_and_compared_with_this_one(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins: list[str] = []

    @contextmanager
    def logged_in(host: str) -> Iterator[Elsewhere]:
        logins.append(host)
        yield Elsewhere(asked.world._way)

    monkeypatch.setattr(looks, "logged_in", logged_in)
    paths = {form: tmp_path / f"report.{form}" for form in FORMS}
    result = asked(via={"ssh": "root@192.0.2.7"}, reports={form: str(path) for form, path in paths.items()})
    assert (result["passed"], result["vantage"], logins) == (True, "192.0.2.7 by ssh", ["root@192.0.2.7"])
    assert [form for form, path in paths.items() if "root@" in path.read_text(encoding="utf-8")] == []
    said = f"fine         {HOST} at 192.0.2.1: is reached from 192.0.2.7 by ssh and from the test."
    assert said in asked.said


@pytest.mark.parametrize(
    ("place", "called"),
    [({"name": "web-0"}, "web-0"), ({"labels": {"app": "web", "tier": "front"}}, "app=web,tier=front")],
)
def test_an_instance_is_looked_at_through_a_pod_and_names_are_compared_with_those_there(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: dict[str, Any], called: str
) -> None:
    opened: list[tuple[str, int]] = []
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/perl").symlink_to(str(shutil.which("perl")))

    class Through(Pod):
        """One from where the loopback's ports are those of the small internet."""

        def way(self, address: str, port: int, seconds: float) -> Any:
            """Return the way to where an address is served."""
            opened.append((address, port))
            return super().way("127.0.0.1", asked.world.ports.get((address, port), 1), seconds)

    monkeypatch.setattr(relay, "Pod", Through)
    # For each connection a program is started, which takes long on a machine that has much to do.
    monkeypatch.setattr(fleet, "Budget", partial(fleet.Budget, seconds=120.0, patience=60.0, reading=60.0))
    asked.world.ports["192.0.2.53", 53] = over_tcp(asked.world.zones.resolver)
    with kubelet(tmp_path / "bin", nameserver="192.0.2.53") as served:
        host = {"kubernetes_host": f"http://127.0.0.1:{served.port}"}
        via = {"ssh": None, "pod": {"namespace": "mastodon", "name": None, "labels": None, **place}}
        result = asked(via=via, **host)
    assert (result["passed"], result["vantage"]) == (True, f"pod mastodon/{called}")
    assert f"fine         {HOST} at 192.0.2.1: is reached from pod mastodon/{called} and from the test." in asked.said
    said = f"fine         {HOST}: leads to the same for the name servers of pod mastodon/{called}."
    assert said in asked.said
    assert {("192.0.2.1", 443), ("192.0.2.1", 80), ("192.0.2.53", 53)} <= set(opened)


def test_a_pod_that_is_not_there_is_named(asked: Asked, tmp_path: Path) -> None:
    pod = {"namespace": "mastodon", "name": "gone", "labels": None}
    with kubelet(tmp_path) as served, pytest.raises(MastodonError) as caught:
        asked(via={"ssh": None, "pod": pod}, kubernetes_host=f"http://127.0.0.1:{served.port}")
    assert str(caught.value) == "Pod mastodon/gone: does not exist. Name one of these: kubectl get pods -n mastodon."
    assert asked.world.asked == []


@pytest.mark.parametrize("named", ["-oProxyCommand=id", "a b", "", "$(id)"])
def test_what_is_no_host_is_never_given_to_ssh(asked: Asked, named: str) -> None:
    with pytest.raises(MastodonError) as caught:
        asked(via={"ssh": named})
    assert str(caught.value) == f"Option via.ssh: is wrong: {named!r} is no host of ssh. Write it as root@192.0.2.7."
