# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as one page that needs nothing else: for a browser, a phone and paper. It has no script, and its policy allows none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.chain import BEHIND, BROKEN
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import (
    BAD,
    COMMANDS,
    MEANING,
    Verdict,
)
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.style import MARKS, STYLE
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.table import (
    CHANGES,
    DAYS,
    PAGES,
    changed,
    counted,
    is_cut,
    likely,
    sentence,
    way,
    worst_first,
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_MEANING = {str(verdict): meaning for verdict, meaning in MEANING.items()}


def page(report: Mapping[str, Any]) -> str:
    """Return the page: of a fleet a table of all before each of them."""
    instances: Sequence[Mapping[str, Any]] = report["instances"]
    of = instances[0]["domain"] if len(instances) == 1 else f"{len(instances)} instances"
    body = [_tag("h1", f"What other servers see of {of}"), *([] if len(instances) == 1 else _fleet(instances))]
    for instance in worst_first(instances):
        body += _instance(instance, alone=len(instances) == 1)
    head = (
        f'<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        f"<title>{escape(f'Federation of {of}')}</title>\n<style>{STYLE}</style>"
    )
    text = "\n".join(body)
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n<main>\n{text}\n</main>\n</body>\n</html>\n'


def _tag(name: str, text: str, kind: str = "") -> str:
    attribute = f' class="{escape(kind)}"' if kind else ""
    return f"<{name}{attribute}>{escape(text)}</{name}>"


def _class(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _fleet(instances: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield all in a line each, worst first."""
    passed = sum(instance["passed"] for instance in instances)
    yield _tag("p", f"{passed} of {len(instances)} are proved to be well.", "lead")
    yield '<table class="fleet">\n<tr><th>instance</th><th>worst</th><th>the way to it</th></tr>'
    for one in worst_first(instances):
        verdict, domain = one["verdict"], escape(one["domain"])
        yield (
            f'<tr class="{_class(verdict)}"><td><a href="#{domain}">{domain}</a></td><td>{_badge(verdict)}</td>'
            f"<td>{escape(way(one['links']))}</td></tr>"
        )
    yield "</table>"


def _badge(verdict: str) -> str:
    return _tag("span", verdict, f"badge {_class(verdict)}")


def _instance(instance: Mapping[str, Any], *, alone: bool) -> Iterator[str]:
    # That of what is lost need not be said.
    proof = "" if instance["verdict"] in BAD else f" It is {'' if instance['passed'] else 'not '}proved to be well."
    meaning = _MEANING[instance["verdict"]]
    yield f'<section id="{escape(instance["domain"])}">'
    if not alone:
        yield _tag("h2", instance["domain"])
    yield from _changes(instance.get("changes") or {})
    yield f'<p class="lead">{_badge(instance["verdict"])} {escape(meaning)}.{proof}</p>'
    yield _tag("p", f"Seen from {instance['vantage']} at {instance['at']}: {instance['summary']}.", "small")
    yield from _chain(instance["links"])
    wrong = [finding for finding in instance["findings"] if finding["fault"]]
    for finding in wrong:
        yield from _fault(finding)
    if is_cut(instance):
        yield _tag("p", DAYS, "small")
    yield from _others([finding for finding in instance["findings"] if not finding["fault"]], shown=alone)
    yield "</section>"


def _changes(changes: Mapping[str, Any]) -> Iterator[str]:
    if not changes:
        return
    yield f'<div class="changes">\n{_tag("h3", "What changed")}\n{_tag("p", f"{counted(changes)}.")}\n<ul>'
    for name, words in CHANGES:
        for finding in changes[name]:
            yield f"<li>{_tag('b', words)} {_badge(finding['verdict'])} {escape(changed(finding))}</li>"
    yield "</ul>\n</div>"


def _chain(links: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Yield the picture of the way: each link with a sign and a word, as colours are not seen by all and not on paper."""
    yield '<ol class="chain">'
    for link in links:
        state = link["state"]
        said = {BROKEN: "breaks here", BEHIND: "behind the break"}.get(state, state)
        sign, name = _tag("span", MARKS[state], "mark"), _tag("b", link["name"])
        yield f'<li class="{_class(state)}">{sign}{name}{_tag("span", said, "state")}</li>'
    yield "</ol>"


def _fault(finding: Mapping[str, Any]) -> Iterator[str]:
    verdict = finding["verdict"]
    yield f'<article class="{_class(verdict)}">\n<h3>{_badge(verdict)} {escape(finding["subject"])}</h3>'
    yield _tag("p", f"It {finding['message']}." if finding["message"] else "", "message")
    if finding["fact"]:
        yield _tag("pre", finding["fact"])
    yield _tag("p", finding["loses"])
    if finding["cause"]:
        yield f"<p><b>{likely(finding)}</b>: {escape(finding['cause'])}.</p>"
        yield f"<p><b>Next</b>: {_step(finding['next'])}</p>"
    address = escape(f"{PAGES}/{finding['link']}")
    yield f'<p class="small"><a href="{address}">What it is, and how to mend it</a></p>\n</article>'


def _step(text: str) -> str:
    """Return what to do, and of it as a command what can be copied to a shell."""
    command, comma, rest = text.partition(", and ")
    return f"{_tag('code', command)}{comma}{escape(rest)}" if command.partition(" ")[0] in COMMANDS else escape(text)


def _others(findings: Sequence[Mapping[str, Any]], *, shown: bool) -> Iterator[str]:
    """Yield what is no fault, folded up in a page of many."""
    if not findings:
        return
    fine = sum(finding["verdict"] == Verdict.FINE for finding in findings)
    title = f"{fine} fine, {len(findings) - fine} not looked at or not known"
    yield f"<details{' open' if shown else ''}>\n{_tag('summary', title)}\n<table>"
    for finding in findings:
        yield f"<tr><td>{_badge(finding['verdict'])}</td><td>{escape(sentence(finding))}</td></tr>"
    yield "</table>\n</details>"
