# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at what options name, compares that with an earlier report, and reports it in whatever forms are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeAlias

from ansible_collections.fediverse.mastodon.plugins.module_utils._dns.resolver import Resolver
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.changes import (
    FORMAT,
    Earlier,
    changes,
    earlier,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import Explain, as_seen
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.fleet import examine_all
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.forms import FORMS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.table import only_wrong, table
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.vantage import HERE, Vantage
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.shapes import WrongShapeError
from ansible_collections.fediverse.mastodon.plugins.module_utils._net.ssh import called, logged_in
from ansible_collections.fediverse.mastodon.plugins.module_utils._run import Run
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.instance import (
    INSTANCES,
    PLACE,
    targets_of,
    trust_of,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.reports import destinations, write

REPORTS: Mapping[str, Any] = {
    "reports": {"type": "dict", "default": {}, "options": {name: {"type": "path"} for name in FORMS}},
    "since": {"type": "path"},
}


# All that a look needs besides a cluster.
OPTIONS: Mapping[str, Any] = {**INSTANCES, **PLACE, **REPORTS}


# Returns another place to look from, to be compared with this one.
Elsewhere: TypeAlias = "Callable[[Vantage], Vantage]"


def looked(
    parameters: Mapping[str, Any],
    authorities: Callable[[], Sequence[str]],
    run: Run,
    explain: Explain = as_seen,
    elsewhere: Elsewhere | None = None,
) -> dict[str, Any]:
    """Return the result of a task that looks. Raises MastodonError."""
    report = examined(parameters, authorities, run, explain, elsewhere)
    # Ansible prints a failed task's result whole, and that of many is long in any case: only what is wrong belongs there.
    whole = report["passed"] and not parameters["instances"]
    instances = [one if whole else only_wrong(one) for one in report["instances"]]
    result = {**report, "instances": instances} if parameters["instances"] else instances[0]
    failed = [f"{one['domain']}: {one['summary']}" for one in instances if not one["passed"]]
    said = {"failed": True, "msg": f"Federation of {'; '.join(failed)}."} if failed else {}
    return {"changed": False, **result, **said}


def examined(
    parameters: Mapping[str, Any],
    authorities: Callable[[], Sequence[str]],
    run: Run,
    explain: Explain = as_seen,
    elsewhere: Elsewhere | None = None,
) -> Mapping[str, Any]:
    """Look, with trust in these authorities as well; write the report, show it, and return it. Raises MastodonError."""
    targets = targets_of(parameters)
    trust = trust_of([*parameters["ca_certificates"], *authorities()])
    resolver = Resolver(parameters["nameserver"], parameters["nameserver_port"])
    paths = destinations(parameters["reports"] or {})
    before = _before(parameters["since"], paths.get("json"))
    with nullcontext(elsewhere(HERE)) if elsewhere else _vantage(parameters["via"]) as vantage:
        found = [one.plain(one.findings) for one in examine_all(targets, vantage, resolver, trust, explain)]
    instances = [{**instance, "changes": changes(instance, before)} for instance in found]
    report = {"format": FORMAT, "passed": all(one["passed"] for one in instances), "instances": instances}
    try:
        if not run.check:
            write(paths, report)
    finally:
        for line in table(report):
            run.say(line)
    return report


@contextmanager
def _vantage(via: Mapping[str, str] | None) -> Iterator[Vantage]:
    """Yield the place to look from: another machine, compared with this one, or this one. Raises MastodonError."""
    if not via:
        yield HERE
        return
    host = via["ssh"]
    if not re.fullmatch(r"[A-Za-z0-9_\[][A-Za-z0-9_.@:/%\[\]-]*", host):
        raise MastodonError("Option via.ssh", "is wrong", f"{host!r} is no host of ssh", "Write it as root@192.0.2.7.")
    with logged_in(host) as machine:
        yield Vantage(f"{called(host)} by ssh", machine.way, HERE)


def _before(since: str | None, last: Path | None) -> Earlier:
    """Return the earlier report that is named, else the one that is about to be replaced, if there is any."""
    path = Path(since).expanduser() if since else last
    if path is None or not (since or (path.exists() and path.stat().st_size)):
        return {}
    try:
        return earlier(path.read_bytes())
    except OSError as error:
        raise MastodonError(f"Report {path}", "cannot be read", error.strerror or "", "Check its path.") from error
    except WrongShapeError as error:
        remedy = "Name another path, or remove the file."
        raise MastodonError(f"Report {path}", "is none that this can be compared with", str(error), remedy) from error
