# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report for CI systems, as JUnit writes them: https://llg.cubic.org/docs/junit/. What others lose has failed, what was not seen is skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as Xml

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import BAD, Verdict
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.table import PAGES, likely, sentence

_UNSEEN = (Verdict.SKIPPED, Verdict.CANNOT_TELL)


def junit(report: Mapping[str, Any]) -> str:
    """Return a suite for each instance, and a case for each finding."""
    top = Xml.Element("testsuites", name="federation")
    for instance in report["instances"]:
        _suite(top, instance)
    Xml.indent(top)
    return Xml.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _suite(top: Xml.Element, instance: Mapping[str, Any]) -> None:
    suite = Xml.SubElement(top, "testsuite", name=instance["domain"], timestamp=instance["at"].rstrip("Z"))
    # Of itself, as nothing has passed that was not proved to be well, whatever each check says.
    whole = Xml.SubElement(suite, "testcase", classname=instance["domain"], name="passes")
    if not instance["passed"]:
        Xml.SubElement(whole, "failure", type=instance["verdict"], message=instance["summary"])
    for finding in instance["findings"]:
        _case(suite, instance["domain"], finding)
    for name, kind in (("tests", "testcase"), ("failures", "testcase/failure"), ("skipped", "testcase/skipped")):
        suite.set(name, str(len(suite.findall(kind))))


def _case(suite: Xml.Element, domain: str, finding: Mapping[str, Any]) -> None:
    said, verdict = sentence(finding), finding["verdict"]
    case = Xml.SubElement(suite, "testcase", classname=f"{domain}.{finding['check']}", name=f"{verdict}: {said}")
    if verdict in BAD:
        failure = Xml.SubElement(case, "failure", type=verdict, message=said)
        failure.text = _explained(finding)
    elif verdict in _UNSEEN:
        Xml.SubElement(case, "skipped", message=said)
    elif finding["fault"]:
        Xml.SubElement(case, "system-out").text = _explained(finding)


def _explained(finding: Mapping[str, Any]) -> str:
    cause = f"{likely(finding)}: {finding['cause']}. Next: {finding['next']}" if finding["cause"] else ""
    return "\n".join(part for part in (finding["loses"], cause, f"{PAGES}/{finding['link']}") if part)
