# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy of media, by the CronJob that role rook applies, from one bucket of a real S3 server to another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import pytest
import requests
from ansible_collections.fediverse.mastodon.tests.unit.roles.test_media_copy import NAME, copy
from requests_aws4auth import AWS4Auth

from ...conftest import Lab
from ..bucket import server
from ..support import eventually

NAMESPACE = "copying"
MARK = ".fediverse-mastodon-copy"
DIFFERS = ".fediverse-mastodon-differs"
# Of an id that ends in 000, as half of them, and of an avatar.
PICTURE = "media_attachments/files/109/348/000/original/a1.png"
SMALL = "media_attachments/files/109/348/000/small/a1.png"
AVATAR = "accounts/avatars/109/1/original/me.jpg"
HEADER = "accounts/headers/109/1/original/me.jpg"
CACHED = "cache/media_attachments/files/109/9/original/theirs.png"
MEDIA = {PICTURE: "picture", SMALL: "small", AVATAR: "avatar", HEADER: "header"}
FOREVER = "public, max-age=315576000, immutable"
STAMP = re.compile(r"deleted/(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)/(.+)")
SECONDS = 10


@dataclass(frozen=True)
class Bucket:
    """One of the lab's S3 server, as this machine reaches it."""

    address: str
    keys: AWS4Auth

    def ask(self, method: str, name: str = "", **options: Any) -> requests.Response:
        answer = requests.request(method, f"{self.address}/{name}", auth=self.keys, timeout=SECONDS, **options)
        assert answer.ok, f"{method} {name}: {answer.status_code} {answer.text}"
        return answer

    def put(self, objects: Mapping[str, str]) -> None:
        for name, content in objects.items():
            self.ask(
                "PUT", name, data=content.encode(), headers={"Content-Type": "image/png", "Cache-Control": FOREVER}
            )

    def delete(self, *names: str) -> None:
        for name in names:
            self.ask("DELETE", name)

    def names(self) -> list[str]:
        return re.findall(r"<Key>([^<]+)</Key>", self.ask("GET", "?list-type=2").text)

    def listing(self) -> list[str]:
        """Return every object with when it was written."""
        return re.findall(r"<Key>.+?</LastModified>", self.ask("GET", "?list-type=2").text.replace("\n", ""))

    def contents(self) -> dict[str, str]:
        """Return what was copied, by name, without what is of the copy alone."""
        live = [name for name in self.names() if not name.startswith(("deleted/", ".fediverse"))]
        return {name: self.ask("GET", name).text for name in live}

    def kept(self) -> dict[str, str]:
        """Return what was moved away, by the name that it had."""
        found = [(match[2], match[0]) for name in self.names() if (match := STAMP.fullmatch(name))]
        return {name: self.ask("GET", where).text for name, where in found}


@dataclass(frozen=True)
class Ended:
    """One run: whether it was complete, and what it said last, in the status of its pod, too."""

    complete: bool
    said: str
    log: str


@dataclass
class Copying:
    lab: Lab
    bucket: Callable[[str], Bucket]
    numbers: Iterator[int] = field(default_factory=count)

    def made(self, name: str) -> Bucket:
        found = self.bucket(name)
        found.ask("PUT")
        return found

    def declare(self, **settings: object) -> None:
        """Apply what role rook applies, but for what External Secrets makes of it."""
        endpoint = "http://s3.object-store.svc:8333"
        wanted = {
            "mastodon_namespace": NAMESPACE,
            "rook_external_endpoint": endpoint,
            "rook_external_bucket": "copied-from",
            "rook_copy_endpoint": endpoint,
            "rook_copy_bucket": "copied-to",
            "rook_copy_schedule": "0 0 1 1 *",
        }
        items = [item for item in copy(**{**wanted, **settings}).values() if item["kind"] != "ExternalSecret"]
        self.apply(*items)

    def keys(self, secret_key: str = "") -> None:
        """Let the Secret of the copy have these."""
        stored = self.lab.stored("s3")
        for name, secret in (("mastodon-s3", ""), (NAME, secret_key)):
            data = {
                "AWS_ACCESS_KEY_ID": stored["access-key-id"],
                "AWS_SECRET_ACCESS_KEY": secret or stored["secret-access-key"],
            }
            place = {"name": name, "namespace": NAMESPACE}
            self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": place, "stringData": data})

    def apply(self, *items: Mapping[str, object]) -> None:
        given = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        self.lab.kubectl("apply", "--server-side", "--force-conflicts", "-f-", given=given)

    def run(self, *environment: str) -> Ended:
        """Copy now, as the docs say."""
        name = f"now-{next(self.numbers)}"
        here = f"-n={NAMESPACE}"
        asked = ("create", "job", here, name, f"--from=cronjob/{NAME}", "--dry-run=client", "-o=json")
        job = self.lab.kubectl(*asked)
        if environment:
            job = self.lab.kubectl("set", "env", "--local", "-f-", *environment, "-o=json", given=job)
        self.lab.kubectl("create", "-f-", given=job)
        status = eventually(lambda: self.lab.get("job", here, name)["status"], lambda found: "conditions" in found, 90)
        complete = any(one["type"] in ("Complete", "SuccessCriteriaMet") for one in status["conditions"])
        ended = eventually(
            lambda: self.lab.get("pod", here, f"-l=job-name={name}")["items"][0]["status"],
            lambda found: "terminated" in str(found.get("containerStatuses")),
            30,
        )
        log = self.lab.kubectl("logs", here, f"job/{name}")
        terminated = ended["containerStatuses"][0]["state"]["terminated"]
        said = log.strip().splitlines()[-1]
        assert complete or said in terminated["message"]
        return Ended(complete, said, log)

    def rot(self, bucket: str, name: str) -> None:
        """Alter an object below the S3 server, which goes on to say of it what it said."""
        spoil = f"printf X | dd of='/data/buckets/{bucket}/{name}' bs=1 conv=notrunc"
        self.lab.kubectl("exec", "-n=object-store", "s3-0", "-c=s3", "--", "sh", "-c", spoil)


@pytest.fixture(scope="module")
def copying(lab: Lab) -> Iterator[Copying]:
    lab.kubectl("create", "namespace", NAMESPACE)
    lab.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
    stored = lab.stored("s3")
    keys = partial(AWS4Auth, stored["access-key-id"], stored["secret-access-key"], "us-east-1", "s3")
    found = Copying(lab, lambda name: Bucket(f"{server(lab)}/{name}", keys()))
    found.keys()
    found.declare()
    yield found
    lab.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.fixture(scope="module")
def source(copying: Copying) -> Bucket:
    """A bucket with media, of which one object came from another server."""
    found = copying.made("copied-from")
    found.put({**MEDIA, CACHED: "theirs"})
    return found


@pytest.fixture(scope="module")
def target(copying: Copying, source: Bucket) -> Bucket:
    """The copy, as the first run leaves it."""
    found = copying.made("copied-to")
    first = copying.run()
    assert first.complete, first.log
    assert first.said.endswith("has the 4 objects of the source; 4 of them were compared byte by byte.")
    return found


def test_everything_but_the_cache_is_copied_as_mastodon_wrote_it(target: Bucket) -> None:
    assert target.contents() == MEDIA
    headers = target.ask("HEAD", PICTURE).headers
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("image/png", FOREVER)
    assert target.kept() == {}


def test_a_second_run_writes_nothing_again(copying: Copying, target: Bucket) -> None:
    before = [one for one in target.listing() if MARK not in one]
    assert copying.run().complete
    assert [one for one in target.listing() if MARK not in one] == before


def test_when_it_was_complete_is_kept_by_kubernetes(copying: Copying, target: Bucket) -> None:
    found = eventually(
        lambda: copying.lab.get("cronjob", f"-n={NAMESPACE}", NAME)["status"],
        lambda status: "lastSuccessfulTime" in status,
    )
    assert found["lastSuccessfulTime"]


def test_what_is_deleted_or_overwritten_is_kept_and_what_was_kept_for_long_goes(
    copying: Copying, source: Bucket, target: Bucket
) -> None:
    old, mine = "deleted/2020-01-01T00-00-00Z/accounts/a.png", "deleted/by-hand/accounts/b.png"
    target.put({old: "old", mine: "mine"})
    source.delete(SMALL)
    source.put({AVATAR: "another avatar"})
    assert copying.run().complete
    assert target.contents() == {PICTURE: "picture", AVATAR: "another avatar", HEADER: "header"}
    assert target.kept() == {SMALL: "small", AVATAR: "avatar"}
    assert old not in target.names()
    assert mine in target.names()


def test_what_somebody_altered_in_the_copy_is_written_again_and_kept(
    copying: Copying, source: Bucket, target: Bucket
) -> None:
    target.put({HEADER: "HEADER"})
    assert copying.run().complete
    assert target.contents()[HEADER] == "header"
    assert target.kept()[HEADER] == "HEADER"


def test_what_the_store_spoils_is_named_in_every_run_until_it_is_written_again(
    copying: Copying, source: Bucket, target: Bucket
) -> None:
    copying.rot("copied-to", PICTURE)
    for _again in range(2):
        ended = copying.run()
        assert not ended.complete
        assert f" objects are not as in the source, such as {PICTURE} " in ended.said
        assert target.ask("GET", DIFFERS).text.splitlines() == [PICTURE]
    target.delete(PICTURE)
    assert copying.run().complete
    assert DIFFERS not in target.names()
    assert target.contents()[PICTURE] == "picture"


def test_an_emptied_source_empties_nothing_unless_that_is_meant(
    copying: Copying, source: Bucket, target: Bucket
) -> None:
    live = target.contents()
    source.delete(*live)
    source.put({"accounts/avatars/109/2/original/new.jpg": "new"})
    ended = copying.run()
    assert not ended.complete
    assert "3 of 3 objects that the copy has are gone, so nothing was changed" in ended.said
    assert target.contents() == live
    assert copying.run("MAY_SHRINK=yes").complete
    assert target.contents() == {"accounts/avatars/109/2/original/new.jpg": "new"}
    assert target.kept().items() >= live.items()
    source.put(live)


def test_a_source_that_is_not_there_changes_nothing(copying: Copying, target: Bucket) -> None:
    before = target.listing()
    copying.declare(rook_external_bucket="not-there")
    ended = copying.run()
    copying.declare()
    assert not ended.complete
    assert "Bucket not-there at http://s3.object-store.svc:8333: the media cannot be listed" in ended.said
    # As rclone calls a bucket that is not there.
    assert "directory not found" in ended.log
    assert target.listing() == before


def test_wrong_keys_are_named(copying: Copying, target: Bucket) -> None:
    copying.keys("not-the-secret")
    ended = copying.run()
    copying.keys()
    assert not ended.complete
    assert "Bucket copied-to at http://s3.object-store.svc:8333: the copy cannot be listed" in ended.said
    assert "SignatureDoesNotMatch" in ended.log
    assert "not-the-secret" not in ended.log


@pytest.mark.parametrize(
    ("name", "held", "said"),
    [
        (
            "held-database",
            {"mastodon-db/base/backup.info": "of a database"},
            "it is not empty, and no copy was begun in it",
        ),
        ("held-copy", {MARK: "other.example\n", PICTURE: "theirs"}, "it is the copy of other.example"),
    ],
)
def test_a_bucket_that_holds_something_else_is_left_as_it_is(
    copying: Copying, source: Bucket, name: str, held: dict[str, str], said: str
) -> None:
    other = copying.made(name)
    other.put(held)
    before = other.listing()
    copying.declare(rook_copy_bucket=name)
    ended = copying.run()
    copying.declare()
    assert not ended.complete
    assert f"Bucket {name} at http://s3.object-store.svc:8333: {said}" in ended.said
    assert other.listing() == before
