# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/federation has a page for each check, and a section for each thing that can be wrong, as the checks report it.

`UPDATE_DOCS=1` writes it.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.causes import CAUSES
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.examine import CHECKS, FAULTS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    COMMANDS,
    MEANING,
    ORDER,
    Fault,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.scene import Check

PAGES = Path(__file__).parents[5] / "docs/federation"
# What stands for the parts of a sentence that come from an instance.
FIELDS = {
    "host": "example.org",
    "subject": "example.org",
    "address": "203.0.113.7",
    "what": "the document",
    "agent": "NAME",
    "server": "ns1.example.org",
    "zone": "example.org",
    "name": "example.org",
    "to": "bucket.example.net",
}
TOP = """# What other servers see

`ansible-playbook -i inventories/mine fediverse.mastodon.federation` looks at an instance as other servers of the fediverse see it, and module
`federation_check` looks at any that you name, without a cluster. It asks what they ask, signs nothing and leaves nothing behind. It ends with code 2
when something is LOST or CUT.

Each finding says what came, who loses what, the likely cause, and what to do next; its last line leads to one of these pages. [reports.md](reports.md)
has what else a report can be: a page, JSON, a result for CI, metrics. [without-ansible.md](without-ansible.md) is for who has no Ansible.

## When posts are being lost

1. Run it. The second line of the table says which link breaks first: mend that one first, as what lies behind it cannot be judged.
2. `LOST` comes before `CUT`. What is CUT arrives by itself after the repair: others try again within minutes at first, then within hours, for two to three
   days. What is LOST never does; single posts can still be fetched by searching for their address.
3. If something LOST cannot be mended at once, let whatever answers say 503 in its place, for all paths: others then wait and try again, and lose nothing.
   A route whose Service has no pods does so, with 500 or 503, as after `kubectl -n mastodon scale deployment/mastodon-web --replicas=0`. No route at all
   says 404, which loses posts, and so does a maintenance page that says 403, 404 or 410.
4. Run it again: with a report as `json`, it says first what is mended.
5. After seven days of failures others send nothing more until this server writes to them, as by a post or a follow, or until their admin resets it.

## What a report says

With access to the cluster the playbook follows a finding inward to the first broken link: the DNS record and who owns it, HTTPRoute, Gateway and listener,
Secret, Certificate, Order and Challenge, Service, endpoints and pods, their clock, NetworkPolicies. Then it says `Cause`, with the names of the objects,
in place of `Likely cause`.

In commands on these pages, `example.org` stands for the host that a finding names, `203.0.113.7` for its address, `ns1.example.org` for a name server, and
`URL` for what was asked. A report has the real ones, quoted so that they can be copied.

| verdict | what it means |
|---|---|
"""
END = """
## What a look does not see

A look signs nothing, has no token, and is over within seconds. When it finds everything fine and posts are lost all the same, it may be one of these:

- **401 for everything that is signed**: something in front of Mastodon changes what was signed, which is Date, Host, Digest, Content-Digest, path and query.
  No answer to what is not signed tells it. With access to the cluster a filter of the route is [found](arrival.md#changed-by-its-route). What any proxy or
  content delivery network does is [found](arrival.md#changed-on-the-way) with `mastodon_federation_echo: true`, by which the pod of
  [the look from inside](reports.md#in-the-cluster) says at `/federation-check/echo` what arrived. What is added to Mastodon's own route by other means than
  filters, such as a policy or middleware of its controller, stays unseen.
- **Timelines that stop after 15 s, 100 s or some minutes**: the route, the load balancer or a content delivery network ends connections. Streaming lets nobody
  in without a token, so that its own connections are not seen. With access to the cluster a timeout of the route is
  [found](streaming.md#ended-by-its-route). What is closed within some 15 seconds is [found](streaming.md#cut-short) with `mastodon_federation_echo: true` and
  `federation_hold: true`. What takes longer is not, as a look ends after 20: the browser's network tools show how long `/api/v1/streaming` stays open.
  Mastodon speaks each half minute, so that only what ends the silent before, or anybody after a while, does harm.
- **Nothing of what you post is seen, days after the repair**: others stopped sending after seven days of failures. Write to them, or follow somebody there.
- **403 from one server alone**: it has blocked this one, or its network. Ask its admin.

## Looking from elsewhere

What one place sees, another may not. By default it is the machine that Ansible runs on. Nothing is installed at another place, and what only one of both
reaches is reported as [by-place](addresses.md#by-place).

| from | playbook | module | what it needs there |
|---|---|---|---|
| a machine | `federation_via_ssh: root@192.0.2.7` | `via: {ssh: root@192.0.2.7}` | a login without a question, `AllowTcpForwarding` |
| a pod | `federation_via_pod: {namespace: mastodon, name: web-0}` | `via: {pod: …}`, the same | Python, Perl or `nc` |

From a pod it is seen whether the cluster reaches itself, by its own names and through its own NetworkPolicies. `labels` in place of `name` take any pod
that is ready. It takes the right to read pods and to create `pods/exec` there. Connections are opened by the first of `python3`, `perl` and BusyBox' `nc`
in the pod's main container, which ends with them, at the latest after half a minute.

Names are looked up where Ansible runs, whatever place connections come from. Where they lead for a pod's own name servers is asked as well, and compared:
[named-otherwise-there](name-servers.md#named-otherwise-there). What those of a machine say is not known, and the report says so.
"""
# Pages that are written by hand.
OTHERS = ("reports", "without-ansible")
BETWEEN = (
    "## Who answers in the place of the instance",
    "",
    "Whatever is refused, the answer may tell who it is of. Then this is the likely cause that is reported:",
    "",
    "| likely cause | next |",
    "|---|---|",
)


def page(check: Check) -> str:
    """Return the page of a check."""
    about = " ".join(check.about.split("\n\n")[0].split())
    more = ["", *check.about.split("\n\n")[1:]] if "\n\n" in check.about else []
    lines = [
        f"# {about.partition(':')[0]}",
        "",
        about,
        *(part.strip() for part in more),
        "",
        *table(check.name, check.faults),
    ]
    for fault in (*check.faults, *FAULTS):
        lines += ["", *section(fault)]
    return "\n".join(lines) + "\n"


def table(name: str, faults: tuple[Fault, ...]) -> Iterator[str]:
    """Yield the rows of what can be wrong."""
    yield "| fault | verdict | message | likely cause |"
    yield "|---|---|---|---|"
    for fault in faults:
        yield f"| [{fault.name}]({name}.md#{fault.name}) | {fault.verdict} | {text(fault.message)} | {text(fault.cause.why)} |"


def section(fault: Fault) -> Iterator[str]:
    """Yield what is to know of one."""
    yield f"## {fault.name}"
    yield ""
    yield f"**{fault.verdict}**: it {text(fault.message)}. {fault.loses}"
    yield ""
    yield f"Likely cause: {text(fault.cause.why)}."
    yield ""
    yield f"Next: {command(text(fault.cause.next))}"


def text(template: str) -> str:
    """Return a sentence with examples in it. What is asked over HTTP stands in quotation marks."""
    return template.replace("'{subject}'", "'URL'").format_map(FIELDS)


def command(next_step: str) -> str:
    """Show what is a command as one."""
    if not _is_command(next_step):
        return next_step
    line, comma, rest = next_step.partition(", and ")
    said = f"`{rest.rstrip('.')}`" if _is_command(rest) else rest
    return f"`{line}`{comma}{said}{'' if said.endswith('.') or not said else '.'}"


def _is_command(words: str) -> bool:
    return words.partition(" ")[0] in COMMANDS


def index() -> str:
    """Return the page that leads to the others."""
    lines = [f"| {verdict} | {MEANING[verdict]} |" for verdict in ORDER]
    rows = [row for check in CHECKS for row in list(table(check.name, check.faults))[2:]]
    everywhere = list(table(CHECKS[0].name, FAULTS))[2:]
    head = ["", "## What can be found", "", "| fault | verdict | message | likely cause |", "|---|---|---|---|"]
    causes = [f"| {cause.of(FIELDS['host']).why} | {command(cause.of(FIELDS['host']).next)} |" for cause in CAUSES]
    return TOP + "\n".join([*lines, *head, *rows, *everywhere, "", *BETWEEN, *causes]) + "\n" + END


@pytest.mark.parametrize("name", ["README", *(check.name for check in CHECKS)])
def test_a_page_is_what_the_check_says(name: str) -> None:
    wanted = index() if name == "README" else next(page(check) for check in CHECKS if check.name == name)
    path = PAGES / f"{name}.md"
    if os.environ.get("UPDATE_DOCS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == wanted


def test_there_is_no_other_page() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *OTHERS, *(check.name for check in CHECKS)}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_names_of_faults_are_anchors_and_each_is_there_once(check: Check) -> None:
    names = [fault.name for fault in (*check.faults, *FAULTS)]
    assert len(names) == len(set(names))
    assert [name for name in names if set(name) - set(string.ascii_lowercase + "-")] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_fault_says_who_loses_what_why_and_what_is_next(check: Check) -> None:
    for fault in (*check.faults, *FAULTS):
        assert fault.loses.endswith("."), fault.name
        assert fault.cause.why, fault.name
        assert not fault.cause.why.endswith("."), fault.name
        assert fault.cause.next, fault.name
