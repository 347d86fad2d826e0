# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a bucket, on two real servers that differ: by Ceph ACLs decide who reads, by VersityGW a policy does."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import pytest
import requests
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.client import Bucket, Keys
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.policy import SID
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.probes import PROBE, SECRET_PROBE, WITHHELD_PROBE
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.public_read import Access, ask, ensure, withdraw
from ansible_collections.fediverse.mastodon.plugins.module_utils._s3.round_trip import round_trip
from requests_aws4auth import AWS4Auth

from ...conftest import Lab
from ..bucket import server
from .store import Store


@dataclass(frozen=True)
class Server:
    """A bucket of a server, and whether ACLs decide there."""

    bucket: Bucket
    acl: bool

    def show(self) -> Access:
        """Let anyone read. Ceph's bucket was claimed for Mastodon alone."""
        return ensure(self.bucket, check=False, claimed=self.acl)

    def hide(self, say: list[str], *, check: bool = False) -> list[str]:
        """Let nobody read, and return what was changed."""
        return [change.line for change in withdraw(self.bucket, say.append, check=check, claimed=self.acl)]


def of_versity(lab: Lab) -> Bucket:
    """Return a new bucket of the lab's other S3 server."""
    data = lab.get("secret", "-n=object-store", "s3")["data"]
    access, key = (base64.b64decode(data[name]).decode() for name in ("ROOT_ACCESS_KEY", "ROOT_SECRET_KEY"))
    endpoint = server(lab)
    requests.put(f"{endpoint}/asked", auth=AWS4Auth(access, key, "us-east-1", "s3"), timeout=30).raise_for_status()
    return Bucket(endpoint, "asked", "us-east-1", Keys(access, key, "Secret object-store/s3"))


@pytest.fixture(scope="module", params=["Ceph", "VersityGW"])
def asked(request: pytest.FixtureRequest, store: Store) -> Server:
    return Server(store.bucket(), acl=True) if request.param == "Ceph" else Server(of_versity(store.lab), acl=False)


def test_anyone_reads_what_mastodon_shows_and_nothing_else(asked: Server) -> None:
    bucket = asked.bucket
    assert asked.show().acl is asked.acl
    statuses = {key: bucket.get_anonymously(key).status for key in (PROBE, WITHHELD_PROBE, SECRET_PROBE)}
    assert statuses == {PROBE: 200, WITHHELD_PROBE: 403 if asked.acl else 200, SECRET_PROBE: 403}
    assert (bucket.list_anonymously().status, bucket.put_anonymously(PROBE, b"mine").status) == (403, 403)
    statements = {one["Sid"] for one in bucket.policy().get("Statement", ())}
    assert (SID in statements) is not asked.acl


def test_a_second_look_changes_nothing_and_others_learn_the_same(asked: Server) -> None:
    asked.show()
    assert asked.show() == Access([], asked.acl)
    assert ask(asked.bucket, check=False) == Access([], asked.acl)


def test_what_is_hidden_from_anyone_is_shown_again(asked: Server) -> None:
    asked.show()
    said: list[str] = []
    due = asked.hide(said, check=True)
    assert asked.hide(said) == due != []
    assert (asked.bucket.get_anonymously(PROBE).status, said) == (403, [])
    assert asked.hide(said) == []
    assert len(asked.show().changes) == 1
    assert asked.bucket.get_anonymously(PROBE).status == 200
    assert asked.show() == Access([], asked.acl)


def test_a_bucket_is_written_read_and_left_as_it_was(asked: Server) -> None:
    asked.show()
    assert round_trip(asked.bucket, anyone_reads=True).endswith(
        "written with an ACL, read and removed, anyone reads it"
    )
