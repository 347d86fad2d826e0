# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`federation-check.pyz` is the module without Ansible: built, and run by a Python that has nothing but what it truly needs."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.extensions.federation_check import main
from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks import federation_check
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import looks
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.mastodon import (
    DOMAIN,
    HOST,
    page,
)
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.world import PUBLIC, World
from ansible_collections.fediverse.mastodon.tests.unit.plugins.module_utils._federation.zones import RESOLVER

BUILD = Path(main.__file__).with_name("build.py")
# The loopback has other ports than the world, and that is all that is changed.
DRIVER = """
import json, runpy, socket, sys
from functools import partial
archive, ports, servers_port, *arguments = sys.argv[1:]
ports = {tuple(place): port for place, port in json.loads(ports)}
sys.path.insert(0, archive)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared import looks
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation import fleet
# On a machine that has much to do all of it takes longer.
fleet.Budget = partial(fleet.Budget, seconds=120.0, patience=60.0, reading=60.0)
def way(address, port, seconds):
    return partial(socket.create_connection, ("127.0.0.1", ports.get((address, port), 1)), seconds)
looks.HERE = Vantage("the test", way)
looks.Resolver = partial(looks.Resolver, servers_port=int(servers_port))
sys.argv = [archive, *arguments]
runpy.run_path(archive, run_name="__main__")
"""
Ran = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "federation-check.pyz"
    subprocess.run([sys.executable, BUILD, path], check=True, cwd="/")
    return path


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python that has nothing but itself."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin/python3"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "world"
    folder.mkdir()
    made = World(folder)
    yield made
    made.stop()


def declared(world: World, **more: Any) -> dict[str, Any]:
    place = {"nameserver": RESOLVER, "nameserver_port": world.zones.port, "taken_as_public": list(PUBLIC)}
    place["ca_certificates"] = [world.authority.certificate]
    return {"domain": DOMAIN, "web_domain": HOST, "account": "alice", **place, **more}


def run(command: Sequence[str | Path], given: Any = None) -> Ran:
    text = given if isinstance(given, str) else json.dumps(given)
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)


def driven(python: Path, archive: Path, world: World, given: Mapping[str, Any], *arguments: str) -> Ran:
    ports = json.dumps([[list(place), port] for place, port in world.ports.items()])
    return run([python, "-I", "-c", DRIVER, archive, ports, str(world.zones.port), *arguments], given)


def module(world: World, given: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    """Return what the module says of the same."""
    monkeypatch.setattr(looks, "HERE", Vantage("the test", world._way))
    monkeypatch.setattr(looks, "Resolver", partial(Resolver, servers_port=world.zones.port))
    known = {name: option.get("default") for name, option in federation_check.ARGUMENTS.options.items()}
    run = Run(check=False, diff=False, say=lambda _line: None, environment={})
    return federation_check.run_task({**known, **given}, run)


def said(instance: Mapping[str, Any]) -> Any:
    """Return what does not depend on when and in which order it was looked at."""
    same = {key: instance[key] for key in ("domain", "vantage", "verdict", "passed", "links")}
    faults = [
        {key: finding[key] for key in finding if key != "fact"} for finding in instance["findings"] if finding["fault"]
    ]
    return same, faults


@pytest.mark.parametrize("broken", [False, True])
def test_it_says_what_the_module_says(
    archive: Path, bare: Path, world: World, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    if broken:
        world.change("/inbox", page(403), method="POST")
    ran = driven(bare, archive, world, declared(world), "--json")
    assert (ran.returncode, ran.stderr) == (main.FAILED if broken else main.PASSED, "")
    (instance,) = json.loads(ran.stdout)["instances"]
    wanted = module(world, declared(world), monkeypatch)
    assert said(instance) == said(wanted)
    assert bool(said(instance)[1]) is broken
    assert len(instance["findings"]) > 20


def test_it_prints_the_table_and_writes_reports(archive: Path, bare: Path, world: World, tmp_path: Path) -> None:
    given = tmp_path / "options.json"
    reports = {"html": str(tmp_path / "a.html"), "json": str(tmp_path / "a.json")}
    given.write_text(json.dumps(declared(world, reports=reports)))
    ran = driven(bare, archive, world, {}, str(given))
    assert ran.returncode == main.PASSED
    first, second, *_others = ran.stdout.splitlines()
    assert first.startswith(f"{DOMAIN} as seen from the test: ")
    assert second == "DNS fine → TLS fine → HTTP fine → ActivityPub fine"
    assert json.loads((tmp_path / "a.json").read_text())["passed"] is True
    assert "It is proved to be well." in (tmp_path / "a.html").read_text()


LATIN = "import sys; sys.stdout.reconfigure(encoding='iso-8859-1')"
# As `| head` does, and `> /dev/full` on a disk that is full.
CLOSED = "import os; ends = os.pipe(); os.close(ends[0]); os.dup2(ends[1], 1)"
FULL = "import os; os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"


def shown_to(terminal: str, python: Path, archive: Path, world: World, given: Mapping[str, Any]) -> Ran:
    """Run it with another standard output."""
    ports = json.dumps([[list(place), port] for place, port in world.ports.items()])
    driver = f"{terminal}\n{DRIVER}"
    return run([python, "-I", "-c", driver, archive, ports, str(world.zones.port)], given)


@pytest.mark.parametrize("terminal", [LATIN, CLOSED])
@pytest.mark.parametrize("broken", [False, True])
def test_a_terminal_that_shows_less_changes_neither_verdict_nor_reports(
    archive: Path, bare: Path, world: World, tmp_path: Path, terminal: str, broken: bool
) -> None:
    if broken:
        world.change("/inbox", page(403), method="POST")
    ran = shown_to(terminal, bare, archive, world, declared(world, reports={"json": str(tmp_path / "a.json")}))
    assert (ran.returncode, ran.stderr) == (main.FAILED if broken else main.PASSED, "")
    assert json.loads((tmp_path / "a.json").read_text())["passed"] is not broken
    if terminal is LATIN:
        assert "DNS fine \\u2192 TLS fine \\u2192 " in ran.stdout


def test_a_table_that_cannot_be_written_is_said_and_the_reports_are_there(
    archive: Path, bare: Path, world: World, tmp_path: Path
) -> None:
    ran = shown_to(FULL, bare, archive, world, declared(world, reports={"json": str(tmp_path / "a.json")}))
    said = "Standard output: cannot be written: No space left on device. Check where it leads.\n"
    assert (ran.returncode, ran.stderr) == (main.NOT_RUN, said)
    assert (tmp_path / "a.json").exists()


def test_it_runs_as_it_is(archive: Path, bare: Path, world: World) -> None:
    given = {"domain": "nobody.example.net", "nameserver": RESOLVER, "nameserver_port": world.zones.port}
    ran = run([bare, "-I", archive], given)
    assert (ran.returncode, ran.stderr) == (main.FAILED, "")
    assert "CUT          nobody.example.net: leads to no address." in ran.stdout


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (
            "no JSON",
            "Options {path}: cannot be read: they are not JSON. "
            'Give an object such as {{"domain": "example.org", "account": "alice"}}.',
        ),
        (
            [],
            "Options {path}: cannot be read: they are no object. "
            'Give an object such as {{"domain": "example.org", "account": "alice"}}.',
        ),
        ({}, "Option domain: is missing. Name a domain, or instances with a domain each."),
        ({"domain": "a b"}, "Option domain: is wrong: 'a b' is no name of a host. Write it as example.org."),
        (
            {"domain": DOMAIN, "since": "/none"},
            "Report /none: cannot be read: No such file or directory. Check its path.",
        ),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_a_code_of_its_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, given: Any, wanted: str
) -> None:
    path = tmp_path / "options.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given))
    assert main.main([str(path)]) == main.NOT_RUN
    assert capsys.readouterr() == ("", f"{wanted.format(path=path)}\n")


def test_an_argument_that_is_not_known_has_that_code_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["--xml"])
    assert ended.value.code == main.NOT_RUN
    assert "unrecognized arguments: --xml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"instances": [{}]}, "Option instances[0].domain: is missing. Add it."),
        ({"instances": [{"domain": None}]}, "Option instances[0].domain: is missing. Add it."),
        (
            {"instances": [{"domain": "a"}, {"domain": "b", "internal": "no"}]},
            "Option instances[1].internal: is wrong: it is not true or false. Change it.",
        ),
        ({"domain": 1}, "Option domain: is wrong: it is not a text. Change it."),
        ({"domain": "a", "internal": 1}, "Option internal: is wrong: it is not true or false. Change it."),
        ({"domain": "a", "nameserver_port": True}, "Option nameserver_port: is wrong: it is not a number. Change it."),
        ({"domain": "a", "addresses": "b"}, "Option addresses: is wrong: it is not a list. Change it."),
        ({"domain": "a", "addresses": ["b", 1]}, "Option addresses[1]: is wrong: it is not a text. Change it."),
        (
            {"domain": "a", "reports": {"pdf": "a"}},
            "Option reports.pdf: is not known. There are html, json, junit, prometheus.",
        ),
        ({"domain": "a", "reports": {"html": []}}, "Option reports.html: is wrong: it is not a path. Change it."),
    ],
)
def test_options_are_read_as_strictly_as_ansible_does(given: Mapping[str, Any], wanted: str) -> None:
    with pytest.raises(MastodonError) as caught:
        main.options(given, looks.OPTIONS)
    assert str(caught.value) == wanted


def test_a_misspelt_option_is_named_with_those_there_are() -> None:
    with pytest.raises(MastodonError, match=r"^Option acount: is not known\. There are account, addresses, "):
        main.options({"acount": "alice"}, looks.OPTIONS)


def test_options_that_are_not_given_are_as_ansible_fills_them_in() -> None:
    assert main.options({"domain": DOMAIN}, looks.OPTIONS) == {
        name: DOMAIN if name == "domain" else option.get("default") for name, option in looks.OPTIONS.items()
    }


def test_it_holds_what_it_needs_and_nothing_of_clusters(archive: Path) -> None:
    names = zipfile.ZipFile(archive).namelist()
    ours = [name for name in names if name.startswith("ansible_collections/") and name.endswith(".py")]
    rooms = {name.split("/")[5].removesuffix(".py") for name in ours if name.count("/") > 4} - {"__init__"}
    assert rooms == {"_dns", "_errors", "_federation", "_libraries", "_net", "_paths", "_run", "_tasks", "serve"}
    assert {"LICENSE", "dns/__init__.py"} <= set(names)
    assert [name for name in names if name.startswith("dnspython") and name.endswith("LICENSE")]
