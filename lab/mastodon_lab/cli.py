# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's verbs; each has a command of its name in `lab/`."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mastodon_lab import host, inside, prove
from mastodon_lab.cluster import health
from mastodon_lab.down import down
from mastodon_lab.errors import LabError
from mastodon_lab.lab import ALL, BASE, CEPH, IPV6, MACHINE, SITE, WAYS, WEBSITE, Lab
from mastodon_lab.parts import platform as parts
from mastodon_lab.parts.catalogue import PARTS
from mastodon_lab.progress import Progress
from mastodon_lab.proof.site import DOMAIN, Site
from mastodon_lab.status import PartStatus
from mastodon_lab.up import build, made, up

STATES = Path("/var/lib/fediverse-mastodon-lab")
CACHE = Path("/var/cache/fediverse-mastodon-lab")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def main(words: list[str]) -> int:
    """Run one verb; returns the exit code. What goes wrong is one sentence on standard error."""
    try:
        given = _parser().parse_args(words)
        verb: Callable[[argparse.Namespace], int] = given.verb
        return verb(given)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"lab: {error.filename or words[0]}: {error.strerror}. Is a disk full or read-only?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; the same command goes on from here.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="A real single-node Kubernetes for trying and testing.")
    parser.set_defaults(index=None, parts=frozenset(), left_out=frozenset(), way=None)
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default=os.environ.get("LAB_NAME", "default"), help="which lab (LAB_NAME; default)")
    for name, (verb, about) in VERBS.items():
        sub = verbs.add_parser(name, parents=[common], help=about, description=about)
        sub.set_defaults(verb=verb)
        _add_options(sub, name)
    return parser


def _add_options(sub: argparse.ArgumentParser, verb: str) -> None:
    if verb == "up":
        sub.add_argument("--index", type=int, help="use the range 10.(200+INDEX).0.0/16 (default 0)")
    if verb in ("up", "build"):
        _add_parts(sub, every=verb == "build")
    if verb == "down":
        sub.add_argument("--purge-state", action="store_true", help="also remove its state: volumes, secrets, keys")
        sub.add_argument("--purge", action="store_true", help="also remove its state and all that was built")
    if verb == "prove":
        sub.add_argument("--facts", type=Path, help="the lab's lab.json, in place of its name")
        sub.add_argument(
            "--domain", default=DOMAIN, help=f"of accounts, where another web site has it (default {DOMAIN})"
        )
        sub.add_argument(
            "--database", default="", metavar="NAMESPACE/POD", help="PostgreSQL, where it is not CloudNativePG's"
        )
    if verb == "logs":
        sub.add_argument("part", help="as lab/status calls the cluster's components, or a part such as openbao")
        sub.add_argument("-f", "--follow", action="store_true", help="go on until interrupted")
    if verb == "shell":
        sub.add_argument("command", nargs="*", help="what to run, after --; your shell if nothing")
    if verb == "status":
        sub.add_argument("--json", action="store_true", help="print JSON")


def _add_parts(sub: argparse.ArgumentParser, *, every: bool) -> None:
    """Which parts there are to be, and how the node is made; `every` part unless told otherwise."""
    sub.add_argument(
        "--on",
        dest="way",
        choices=WAYS,
        help="get the node from processes of this machine, from kind, or from kind in this machine's Docker, with all else from the internet",
    )
    sub.add_argument(
        "--with",
        dest="parts",
        type=_parts,
        default=frozenset({ALL} if every else ()),
        metavar="PART,…",
        help=f"also these parts, which the lab then keeps: {', '.join(_optional())}",
    )
    sub.add_argument(
        "--without",
        dest="left_out",
        type=_parts,
        default=frozenset(),
        metavar="PART,…",
        help="of these parts leave some out, such as --with all --without ceph",
    )


def _optional() -> tuple[str, ...]:
    return (*(part.key for part in PARTS if part.key not in BASE), SITE, CEPH, IPV6, ALL)


def _parts(text: str) -> frozenset[str]:
    wanted = frozenset(text.split(","))
    for unknown in sorted(wanted - {*_optional()}):
        close = difflib.get_close_matches(unknown, _optional(), n=1)
        meant = f"Did you mean {close[0]}?" if close else "Choose one of these."
        raise LabError(f"There is no part {unknown!r}: there are {', '.join(_optional())}. {meant}")
    return wanted


def _lab(given: argparse.Namespace) -> Lab:
    host.refuse_caller(platform.system(), os.geteuid(), sys.version_info[:2])
    if not NAME.fullmatch(given.name):
        raise LabError(f"{given.name!r} is not a name for a lab: use small letters, digits and dashes.")
    state = Path(os.environ.get("LAB_STATE") or STATES / given.name).absolute()
    cache = Path(os.environ.get("LAB_CACHE") or CACHE).absolute()
    lab = Lab(given.name, given.index or 0, state, cache, _chosen(given), given.way or MACHINE)
    noted = made(lab)
    if noted is None:
        return lab
    index = noted.index if given.index is None else given.index
    if kept := [part for part in sorted(given.left_out) if replace(lab, parts=noted.parts).has(part)]:
        raise LabError(f"Lab {lab.name} has {', '.join(kept)} already: end it by lab/down --purge-state first.")
    return replace(lab, index=index, parts=noted.parts | lab.parts, way=given.way or noted.way)


def _chosen(given: argparse.Namespace) -> frozenset[str]:
    """The parts asked for, less those to leave out."""
    if not given.left_out:
        return frozenset(given.parts)
    every = frozenset(_optional()) - {ALL, IPV6, WEBSITE} if ALL in given.parts else frozenset()
    return frozenset(((every | given.parts) - {ALL}) - given.left_out)


def _up(given: argparse.Namespace) -> int:
    lab = _lab(given)
    up(lab, Progress(lab.cache / "durations.json"))
    print(f"Lab {lab.name} is up. To use it: export KUBECONFIG={lab.kubeconfig}")
    return 0


def _down(given: argparse.Namespace) -> int:
    lab = _lab(given)
    progress = Progress(lab.cache / "durations.json")
    down(lab, progress, purge_state=given.purge_state or given.purge, purge_cache=given.purge)
    return 0


def _build(given: argparse.Namespace) -> int:
    lab = _lab(given)
    build(lab, Progress(lab.cache / "durations.json"))
    return 0


def _prove(given: argparse.Namespace) -> int:
    facts = given.facts or _lab(given).facts
    _refuse_missing(facts)
    kubectl = Path(json.loads(facts.read_text())["kubectl"])
    site = replace(Site.from_facts(facts, kubectl), domain=given.domain, database=given.database)
    print("\n".join([*prove.prove(site), "", *prove.what_next(given.name, site.gateway)]))
    return 0


def _status(given: argparse.Namespace) -> int:
    lab = _lab(given)
    found = list(health.check(lab))
    if all(part.ready for part in found):
        found += parts.status(lab)
    print(json.dumps({"parts": [part.as_json() for part in found]}, indent=1) if given.json else _table(found))
    return 0 if all(part.ready for part in found) else 1


def _kubeconfig(given: argparse.Namespace) -> int:
    lab = _lab(given)
    if not lab.kubeconfig.exists():
        raise LabError(f"Lab {lab.name} has no kubeconfig yet: run lab/up.")
    print(lab.kubeconfig)
    return 0


def _logs(given: argparse.Namespace) -> int:
    lab = _running(given)
    return subprocess.call(inside.log_command(lab, given.part, follow=given.follow))


def _shell(given: argparse.Namespace) -> int:
    lab = _running(given)
    return subprocess.call(inside.shell_command(lab, given.command), env=inside.shell_environment(lab))


def _running(given: argparse.Namespace) -> Lab:
    lab = _lab(given)
    _refuse_missing(lab.facts)
    return lab


def _refuse_missing(facts: Path) -> None:
    if not facts.exists():
        raise LabError(f"The lab is not up ({facts} is missing): run lab/up.")


def _table(parts: list[PartStatus]) -> str:
    width = max(len(part.name) for part in parts)
    return "\n".join(
        f"{part.name:{width}}  {'ready' if part.ready else 'NOT READY':9}  "
        f"{'stand-in' if part.stand_in else 'real':8}  {part.version:10}  {part.said}".rstrip()
        for part in parts
    )


VERBS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "build": (_build, "build everything that a lab is made of, without starting one"),
    "up": (_up, "start the lab, or repair it"),
    "down": (_down, "stop the lab and leave nothing running"),
    "prove": (_prove, "prove that the Mastodon in the lab works"),
    "status": (_status, "say how each part is doing"),
    "logs": (_logs, "show the log of a component or a part"),
    "shell": (_shell, "run a shell, or a command, with everything set to use the lab"),
    "kubeconfig": (_kubeconfig, "print where the admin's kubeconfig is"),
}
