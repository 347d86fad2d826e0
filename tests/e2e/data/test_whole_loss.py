# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster is lost with all that was in it. Another one comes up with the same Mastodon from two things: the bucket, and what Vault held."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import unescape

import pytest
import requests
from hvac.exceptions import InvalidPath
from mastodon_lab.proof.post import post_a_picture
from mastodon_lab.proof.session import sign_in
from mastodon_lab.proof.site import Site
from requests_aws4auth import AWS4Auth

from ...conftest import LAB_INDEX, LAB_NAME, Lab, Run, fresh_lab
from ..bucket import server
from ..support import eventually
from ..zone import DOMAIN
from .archive import NAME, SETTINGS, SPACE, Archive, said, sealed

RESTORE = ("-e", f"cnpg_restore_from={NAME}")
# While Flux, operators and the database are being installed.
KILLED_AT = 100.0
ROWS = (
    "SELECT string_agg(id || ' ' || text, ', ' ORDER BY id) FROM statuses",
    "SELECT string_agg(id || ' ' || username, ', ' ORDER BY id) FROM accounts",
    "SELECT string_agg(id || ' ' || email || ' ' || coalesce(otp_secret, ''), ', ' ORDER BY id) FROM users",
    "SELECT string_agg(id || ' ' || private_key, ', ' ORDER BY id) FROM keypairs",
)


@dataclass(frozen=True)
class Bucket:
    """What lies in the lab's bucket, backups and media, as somebody copies it elsewhere and back."""

    lab: Lab

    def read(self) -> dict[str, tuple[str, bytes]]:
        """Every object, with its type."""
        answers = {key: self._ask("GET", f"/{quote(key)}") for key in self._keys()}
        return {key: (answer.headers["Content-Type"], answer.content) for key, answer in answers.items()}

    def fill(self, objects: dict[str, tuple[str, bytes]]) -> None:
        for key, (media_type, content) in objects.items():
            self._ask("PUT", f"/{quote(key)}", data=content, headers={"Content-Type": media_type})

    def servers(self) -> set[str]:
        """The folders in which WAL is archived."""
        return {key.partition("/")[0] for key in self._keys() if "/wals/" in key}

    def _keys(self) -> list[str]:
        found: list[str] = []
        token = ""
        while True:
            more = {"continuation-token": token} if token else {}
            text = self._ask("GET", "", params={"list-type": "2", **more}).text
            found += [unescape(key) for key in re.findall("<Key>([^<]*)</Key>", text)]
            following = re.search("<NextContinuationToken>([^<]+)<", text)
            if not following:
                return found
            token = unescape(following[1])

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        keys = self.lab.stored("postgresql-backup")
        sign = AWS4Auth(keys["access-key-id"], keys["secret-access-key"], "us-east-1", "s3")
        answer = requests.request(method, f"{server(self.lab)}/mastodon{path}", auth=sign, timeout=30, **more)
        answer.raise_for_status()
        return answer


@dataclass(frozen=True)
class Kept:
    """What is left of the first: copies of its bucket and of Vault, and what was seen of it, to be compared."""

    objects: dict[str, tuple[str, bytes]]
    secrets: dict[str, dict[str, str]]
    rows: list[str]
    actor: Any
    picture: str


@dataclass
class Story:
    """The second, and how the runs on it went."""

    lab: Lab
    kept: Kept
    runs: dict[str, Run] = field(default_factory=dict)
    seconds: float = 0

    @property
    def archive(self) -> Archive:
        return Archive(self.lab)


def site_of(lab: Lab) -> Site:
    return Site.from_facts(lab.state / "lab.json", Path(lab.facts["kubectl"]))


def rows(lab: Lab) -> list[str]:
    return [Archive(lab).ask(question) for question in ROWS]


def secrets_of(lab: Lab) -> dict[str, dict[str, str]]:
    """Return all that OpenBao holds of this Mastodon."""
    names = lab.vault().secrets.kv.v2.list_secrets(f"mastodon/{DOMAIN}", mount_point="secret")["data"]["keys"]
    return {name: lab.stored(name) for name in names}


def lived(lab: Lab) -> Kept:
    """Let a Mastodon live for a while, back it up, and return what somebody would keep elsewhere."""
    run = lab.site(*SETTINGS)
    assert run.returncode == 0, run.output[-6000:]
    archive, site = Archive(lab), site_of(lab)
    _status, lines = post_a_picture(sign_in(site))
    [picture] = [url for line in lines for url in re.findall(r"anyone reads it at (\S+)", line)]
    archive.ask(f"UPDATE users SET otp_secret = '{sealed(lab)}' WHERE id = (SELECT min(id) FROM users)")  # noqa: S608 ours
    window = (
        "get",
        "objectstores.barmancloud.cnpg.io",
        f"-n={SPACE}",
        NAME,
        "-o=jsonpath={.status.serverRecoveryWindow}",
    )
    eventually(lambda: lab.kubectl(*window), bool, 300)
    archive.post("after the backup")
    archive.archive()
    actor = site.request("GET", "/actor").json()
    return Kept(Bucket(lab).read(), secrets_of(lab), rows(lab), actor, picture)


def restored(lab: Lab, kept: Kept) -> Story:
    """Give the second what was kept, and let site.yml do the rest."""
    story, kv = Story(lab, kept), lab.vault().secrets.kv.v2
    Bucket(lab).fill(kept.objects)
    story.runs["without Vault"] = lab.site(*SETTINGS, *RESTORE)
    for name, values in kept.secrets.items():
        try:
            # The new servers have logins of their own, and there they are.
            lab.stored(name)
        except InvalidPath:
            kv.create_or_update_secret(f"mastodon/{DOMAIN}/{name}", values, mount_point="secret")
    mark = lab.audit_mark()
    story.runs["empty"] = lab.site(*SETTINGS)
    assert lab.our_writes(mark) == []
    began = time.monotonic()
    lab.killed("site.yml", KILLED_AT, *SETTINGS, *RESTORE)
    story.runs["restored"] = lab.site(*SETTINGS, *RESTORE)
    story.seconds = time.monotonic() - began
    story.runs["again"] = lab.site(*SETTINGS, *RESTORE)
    story.runs["setting removed"] = lab.site(*SETTINGS)
    return story


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    name, index = f"{LAB_NAME}-lost", int(LAB_INDEX) + 1
    with fresh_lab(name, index, "--without", "ceph") as first:
        kept = lived(first)
    with fresh_lab(name, index, "--without", "ceph") as second:
        found = restored(second, kept)
        assert found.runs["restored"].returncode == 0, found.runs["restored"].output[-6000:]
        print(f"from an empty cluster to the same Mastodon: {found.seconds:.0f} s")
        yield found


def test_without_the_keys_of_then_no_others_are_created(story: Story) -> None:
    run = story.runs["without Vault"]
    assert run.returncode == 2
    assert f"backup {NAME} in bucket mastodon could not be read without it, so it is not created again" in said(run)


def test_no_empty_database_begins_beside_the_backup_of_the_lost_one(story: Story) -> None:
    run = story.runs["empty"]
    assert run.returncode == 2
    assert (
        f"Set cnpg_restore_from to {NAME} to restore it, or cnpg_begin_anew to {DOMAIN} to begin without it."
        in said(run)
    )


def test_every_row_is_there_and_every_encrypted_one_was_opened(story: Story) -> None:
    assert rows(story.lab) == story.kept.rows
    assert re.search(
        r"encrypted rows that today's keys open: [1-9]\d* of users.otp_secret, [1-9]\d* of keypairs.private_key",
        said(story.runs["restored"]),
    )


def test_it_is_the_same_server_to_others(story: Story) -> None:
    assert site_of(story.lab).request("GET", "/actor").json() == story.kept.actor
    run = story.lab.playbook("federation.yml")
    assert run.returncode == 0, run.output[-3000:]


def test_its_pictures_show(story: Story) -> None:
    answer = site_of(story.lab).fetch(story.kept.picture)
    [kept] = [content for key, (_type, content) in story.kept.objects.items() if story.kept.picture.endswith(key)]
    assert (answer.status, answer.media_type, answer.body) == (200, "image/png", kept)


def test_people_sign_in_and_go_on(story: Story) -> None:
    _status, lines = post_a_picture(sign_in(site_of(story.lab)))
    assert any("posted status" in line for line in lines)


@pytest.mark.parametrize("run", ["again", "setting removed"])
def test_another_run_changes_nothing_with_the_setting_or_without(story: Story, run: str) -> None:
    assert story.runs[run].returncode == 0, story.runs[run].output[-3000:]
    assert story.runs[run].recap["changed"] == 0


def test_it_is_backed_up_beside_what_it_came_from(story: Story) -> None:
    story.archive.archive()
    assert Bucket(story.lab).servers() == {NAME, f"{NAME}-2"}
    run = story.lab.playbook("status.yml", *SETTINGS)
    assert run.returncode == 0, run.output[-3000:]
    assert f"restored from {NAME}, a folder that nothing cleans up any more, last backup " in said(run)
