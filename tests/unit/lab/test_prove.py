# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from mastodon_lab import prove
from mastodon_lab.errors import LabError
from mastodon_lab.proof.site import DOMAIN, Answer, Site

STORED = {"password": "from-vault"}


class FakeSite(Site):
    """A site whose cluster and web server answer from dicts."""

    answers: dict[str, Answer]
    printed: dict[str, str]

    def in_namespace(self, *arguments: str) -> str:
        for words, text in self.printed.items():
            if words in " ".join(arguments):
                return text
        raise AssertionError(arguments)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        return self.answers[path.partition("?")[0]]

    def fetch(self, url: str) -> Answer:
        return self.answers[url]


def site(printed: dict[str, str] | None = None, answers: dict[str, Answer] | None = None, **more: Any) -> FakeSite:
    made = FakeSite("192.0.2.1", ("kubectl",), "http://vault.test", "token", "", **more)
    object.__setattr__(made, "printed", printed or {})
    object.__setattr__(made, "answers", answers or {})
    return made


def answer(status: int, media_type: str, body: Any) -> Answer:
    return Answer(status, media_type, json.dumps(body).encode())


def secret(**data: str) -> str:
    return json.dumps({"data": {key: b64encode(value.encode()).decode() for key, value in data.items()}})


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        (answer(200, "application/json", {"domain": DOMAIN}), True),
        (answer(200, "application/json", {"domain": "another.test"}), False),
        (answer(200, "text/html", {"domain": DOMAIN}), False),
        (answer(502, "application/json", {"domain": DOMAIN}), False),
    ],
)
def test_only_the_right_answer_for_this_domain_counts(given: Answer, is_right: bool) -> None:
    check = next(check for check in prove._discovery(DOMAIN) if check[0] == "/api/v2/instance")
    there = site(answers={"/api/v2/instance": given})
    if is_right:
        assert "answers 200" in prove._answers(there, *check)
    else:
        with pytest.raises(
            LabError, match=r"GET https://social\.lab\.test/api/v2/instance: wanted 200 application/json"
        ):
            prove._answers(there, *check)


@pytest.mark.parametrize(
    ("found", "is_right"),
    [
        (secret(**STORED), True),
        (secret(**STORED, username="mastodon"), True),
        (secret(password="made elsewhere"), False),
        (secret(**STORED, more="made elsewhere"), False),
        (secret(username="mastodon"), False),
    ],
)
def test_a_secret_must_hold_exactly_what_vault_holds(
    monkeypatch: pytest.MonkeyPatch, found: str, is_right: bool
) -> None:
    monkeypatch.setattr(prove, "vault_read", lambda site, path: STORED)
    there = site(printed={"get secret": found})
    if is_right:
        assert len(prove._secrets_came_from_vault(there)) == len(prove.SECRETS)
    else:
        with pytest.raises(LabError, match=r"differs from secret/mastodon/social\.lab\.test/app in OpenBao"):
            prove._secrets_came_from_vault(there)


@pytest.mark.parametrize("status", [{"phase": "Pending"}, {}])
def test_the_bucket_must_have_been_claimed(status: dict[str, str]) -> None:
    data = {"BUCKET_NAME": "mastodon-mastodon-s3", "BUCKET_HOST": "rook-ceph-rgw-media.rook-ceph.svc"}
    printed = {"get configmap mastodon-s3": json.dumps({"data": data})}
    bound = site(printed={**printed, "get objectbucketclaim": json.dumps({"status": {"phase": "Bound"}})})
    assert "got bucket mastodon-mastodon-s3 at rook-ceph-rgw-media" in prove._bucket_was_claimed(bound)
    waiting = site(printed={**printed, "get objectbucketclaim": json.dumps({"status": status})})
    with pytest.raises(LabError, match="ObjectBucketClaim mastodon/mastodon-s3: not Bound"):
        prove._bucket_was_claimed(waiting)


def test_without_ceph_nobody_claims_a_bucket() -> None:
    without = site(ceph=False)
    assert prove._bucket_was_claimed(without).startswith("skipped: the bucket's claim")


@pytest.mark.parametrize(("count", "is_right"), [("1\n", True), ("0\n", False), ("", False)])
def test_the_post_must_be_found_in_the_database(count: str, is_right: bool) -> None:
    cluster = json.dumps({"status": {"currentPrimary": "mastodon-db-1"}})
    there = site(printed={"get clusters": cluster, "exec mastodon-db-1": count})
    if is_right:
        assert "primary mastodon-db-1" in prove._in_database(there, "7")
    else:
        with pytest.raises(LabError, match="Status 7: not in the database"):
            prove._in_database(there, "7")


LOOKUP = "/.well-known/webfinger?resource=acct%3Alab.test%40lab.test"


@pytest.mark.parametrize(
    ("status", "location", "is_right"),
    [
        (301, f"https://{DOMAIN}{LOOKUP}", True),
        (301, f"https://{DOMAIN}/.well-known/webfinger?resource=acct:lab.test@lab.test", True),
        (301, f"https://{DOMAIN}/.well-known/webfinger", False),
        (302, f"https://{DOMAIN}{LOOKUP}", False),
        (200, "", False),
    ],
)
def test_another_web_site_must_send_lookups_on_with_what_was_asked(status: int, location: str, is_right: bool) -> None:
    answers = {f"https://lab.test{LOOKUP}": Answer(status, "", b"", {"location": location})}
    there = site(answers=answers, domain="lab.test")
    if is_right:
        assert prove._sent_on(there) == [
            "https://lab.test, another web site, sends lookups of accounts on to https://social.lab.test"
        ]
    else:
        with pytest.raises(LabError, match=r"GET https://lab\.test/\.well-known/webfinger.*: wanted a redirect"):
            prove._sent_on(there)


def test_where_mastodon_has_the_domain_itself_nobody_sends_on() -> None:
    assert prove._sent_on(site()) == []


def test_accounts_of_another_domain_are_looked_up_as_such_and_lead_to_the_pages() -> None:
    path, _media_type, is_right = prove._discovery("lab.test")[0]
    assert path == LOOKUP
    assert is_right({"links": [{"rel": "self", "href": "https://social.lab.test/actor"}]})
    assert not is_right({"links": [{"rel": "self", "href": "https://lab.test/actor"}]})


@pytest.mark.parametrize(("count", "is_right"), [("1\n", True), ("0\n", False), ("", False)])
def test_the_post_must_be_found_in_a_database_of_others(
    monkeypatch: pytest.MonkeyPatch, count: str, is_right: bool
) -> None:
    asked: list[tuple[str, ...]] = []

    def run(*words: str) -> str:
        asked.append(words)
        return count

    monkeypatch.setattr(prove, "run", run)
    there = site(database="database/postgresql-0")
    if is_right:
        assert prove._in_database(there, "7") == "the post lies in the database of pod database/postgresql-0"
    else:
        with pytest.raises(LabError, match="Status 7: not in the database of pod database/postgresql-0"):
            prove._in_database(there, "7")
    assert asked[0][:4] == ("kubectl", "--namespace=database", "exec", "postgresql-0")


def test_the_end_says_in_four_lines_how_to_sign_in_look_around_and_stop() -> None:
    lines = prove.what_next("mine", "192.0.2.1")
    assert len(lines) == 4
    assert "192.0.2.1" in lines[0]
    assert "owner@social.lab.test" in lines[0]
    assert all("--name mine" in line for line in lines[1:])
    assert not any("--name" in line for line in prove.what_next("default", "192.0.2.1"))
