# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report in all its forms: each can be read by what reads it, and nothing that an instance sent does anything in it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.finding import fine, skipped
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.forms import FORMS
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.output.table import PAGES, lines
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.report import Report
from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.tls import EXPIRED

from .mastodon import DOMAIN, HOST, Response, document, page
from .test_hostile import EVIL, RAW
from .world import DECLARED, World

# 64 MiB of nothing in 64 KiB.
BOMB = gzip.compress(b"\0" * (64 << 20), 9)
HOSTILE = {
    **RAW,
    "a gzip bomb": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
    "a script": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>\0\x1b[31m]]>&amp;",
}
TAGS = {"html", "head", "meta", "title", "style", "body", "main", "section", "article", "details", "summary", "div"}
TAGS |= {"h1", "h2", "h3", "p", "b", "span", "pre", "code", "a", "ol", "ul", "li", "table", "tr", "td", "th"}
SAMPLE = re.compile(r'federation_check_[a-z_]+\{([a-z]+="[^"\\\n]*",?)+\} -?[0-9]+')


def report_of(*instances: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"format": 1, "passed": all(one["passed"] for one in instances), "instances": instances}


def plain(report: Report) -> Mapping[str, Any]:
    return report.plain(report.findings)


def parsed_xml(text: str) -> Xml.Element:
    """Return what an XML text that we made holds."""
    return Xml.fromstring(text)  # noqa: S314 - the writer is our own


class Page(HTMLParser):
    """What a page has: tags, where they lead, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def is_harmless(report: Report) -> bool:
    """Whether all forms can be read, and hold no character and no tag that does anything."""
    made = {name: form(report_of(plain(report))) for name, form in FORMS.items()}
    made["table"] = "\n".join(lines(plain(report)))
    for name, text in made.items():
        assert all(line.isprintable() for line in text.splitlines()), name
    assert json.loads(made["json"])["instances"][0]["findings"]
    assert made["json"].isascii()
    assert parsed_xml(made["junit"]).tag == "testsuites"
    samples = [line for line in made["prometheus"].splitlines() if not line.startswith("#")]
    assert [line for line in samples if not SAMPLE.fullmatch(line)] == []
    shown = Page(made["html"])
    assert shown.open == []
    assert {tag for tag, _unused in shown.tags} <= TAGS
    known = {"href", "class", "id", "open", "lang", "charset", "name", "content", "http-equiv"}
    assert {name for _tag, attributes in shown.tags for name in attributes} <= known
    links = [attributes["href"] or "" for _tag, attributes in shown.tags if "href" in attributes]
    assert [link for link in links if not link.startswith((f"{PAGES}/", "#"))] == []
    return True


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_whatever_a_host_sends_does_nothing_in_any_form(world: World, name: str) -> None:
    for method in ("GET", "POST"):
        world.change("/", Response(raw=HOSTILE[name]), host=HOST, method=method)
    report = world.look()
    assert is_harmless(report)
    assert not report.passed


def test_what_is_quoted_is_shown_escaped_in_each_form(world: World) -> None:
    finger = {"subject": EVIL, "links": []}
    world.change("/.well-known/webfinger", document(finger, "application/jrd+json"))
    report = world.look()
    assert is_harmless(report)
    made = {name: form(report_of(plain(report))) for name, form in FORMS.items()}
    beginning = "\\x00\\x1b[31m\\x1b]0;x\\x07"
    assert f"{beginning}</script>\\r\\n" in "\n".join(lines(plain(report)))
    assert f"{beginning}</script>" in json.dumps(json.loads(made["json"])).replace("\\\\", "\\")
    assert f"{beginning}&lt;/script&gt;" in made["junit"]
    assert f"{beginning}&lt;/script&gt;" in made["html"]
    assert (
        f'federation_check_fault{{domain="{DOMAIN}",vantage="the test",check="webfinger",fault="wrong-subject",verdict="CUT"}} 2'
        in (made["prometheus"])
    )


def test_what_is_quoted_is_escaped_once(world: World) -> None:
    world.checks = ("inbox",)
    world.change("/inbox", page(403, "\x1b[31mno"), method="POST")
    world.change("/ap/users/115/inbox", Response(raw=b"\x1b[31mno\r\n"), method="POST")
    facts = [one.fact for one in world.look().findings if one.fault]
    assert "403 Forbidden, text/html, '\\x1b[31mno'" in facts
    assert "it is not HTTP: '\\x1b[31mno'" in facts


def test_a_well_instance_is_well_in_each_form(world: World) -> None:
    whole = plain(world.look())
    assert [link["state"] for link in whole["links"]] == ["fine"] * 4
    made = {name: form(report_of(whole)) for name, form in FORMS.items()}
    assert json.loads(made["json"])["instances"] == [json.loads(json.dumps(whole))]
    (suite,) = parsed_xml(made["junit"])
    assert (suite.get("failures"), suite.get("tests")) == ("0", str(1 + len(whole["findings"])))
    assert f'federation_check_passed{{domain="{DOMAIN}",vantage="the test"}} 1' in made["prometheus"]
    assert "It is proved to be well." in made["html"]


def test_a_failure_fails_in_each_form_and_the_first_broken_link_is_marked(world: World) -> None:
    world.change("/inbox", page(403), method="POST")
    whole = plain(world.look())
    assert {link["name"]: link["state"] for link in whole["links"]} == {
        "DNS": "fine",
        "TLS": "fine",
        "HTTP": "broken",
        "ActivityPub": "fine",
    }
    made = {name: form(report_of(whole)) for name, form in FORMS.items()}
    (suite,) = parsed_xml(made["junit"])
    failed = [case.get("classname") for case in suite if case.find("failure") is not None]
    assert failed == [DOMAIN, f"{DOMAIN}.inbox"]
    assert suite.get("failures") == "2"
    assert f'federation_check_passed{{domain="{DOMAIN}",vantage="the test"}} 0' in made["prometheus"]
    assert f'federation_check_first_broken{{domain="{DOMAIN}",vantage="the test",link="HTTP"}} 1' in made["prometheus"]
    assert (
        '<li class="broken"><span class="mark">✗</span><b>HTTP</b><span class="state">breaks here</span></li>'
        in (made["html"])
    )
    assert "posts are dropped for ever, or accounts deleted.</p>" in made["html"]


def test_what_is_not_proved_fails_for_ci_though_nothing_is_lost() -> None:
    report = Report(DECLARED, "here", [fine("a", "is well").of("tls"), skipped("b", "c").of("inbox")])
    assert " It is not proved to be well.</p>" in FORMS["html"](report_of(plain(report)))
    (suite,) = parsed_xml(FORMS["junit"](report_of(plain(report))))
    assert (suite.get("failures"), suite.get("skipped"), suite.get("tests")) == ("1", "1", "3")


def test_only_the_first_link_that_breaks_is_marked() -> None:
    broken = EXPIRED.at("https://social.example.org", "", host=HOST, address="192.0.2.1")
    found = [broken.of("addresses"), broken.of("tls"), skipped("c", "d").of("inbox"), fine("e", "f").of("plain-http")]
    states = [link["state"] for link in plain(Report(DECLARED, "here", found))["links"]]
    assert states == ["broken", "behind", "fine", "behind"]


def test_a_page_of_many_has_a_line_for_each_that_leads_to_it_worst_first(world: World) -> None:
    well = plain(world.look())
    world.change("/inbox", Response(410), method="POST")
    lost = {**plain(world.look()), "domain": "lost.example.org"}
    text = FORMS["html"](report_of(well, lost))
    shown = Page(text)
    assert [one["href"] for _tag, one in shown.tags if (one.get("href") or "").startswith("#")] == [
        "#lost.example.org",
        f"#{DOMAIN}",
    ]
    assert "1 of 2 are proved to be well." in shown.text
    assert {one["id"] for _tag, one in shown.tags if "id" in one} == {DOMAIN, "lost.example.org"}


def test_of_a_next_step_the_command_alone_is_shown_as_one(world: World) -> None:
    world.change("/api/v1/streaming", Response(502))
    text = FORMS["html"](report_of(plain(world.look())))
    assert "<b>Next</b>: <code>kubectl get endpointslices -A</code>, and look for the Service behind " in text


def test_the_page_needs_nothing_else_and_lets_nothing_run(world: World) -> None:
    text = FORMS["html"](report_of(plain(world.look())))
    assert re.findall(r"<(?:script|link|img|iframe|object)|@import|url\(", text) == []
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"".replace("'", "&#x27;") in text
