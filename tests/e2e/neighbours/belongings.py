# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to Mastodon, made wrong for a while: its media, its keys and its clock."""

from __future__ import annotations

import json
from contextlib import ExitStack

from ansible_collections.fediverse.mastodon.plugins.module_utils._federation.identity import fingerprint
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ...conftest import Lab
from ..bucket import bucket
from .name_servers import image

MEDIA = "https://media.lab.test/"
PICTURE = "site_uploads/federation.png"
WEB = ("deployment", "-n=mastodon", "mastodon-web")
# The server's own actor: app/models/concerns/account/finder_concern.rb
_ITS = "account_id = (SELECT id FROM accounts WHERE username = 'mastodon.internal')"
# As it was declared before.
_KNOWN: list[str] = []


def picture(lab: Lab) -> dict[str, object]:
    """Return how a picture is declared, which is in the bucket from then on, as Mastodon would have put it there."""
    bucket(lab).upload(PICTURE, b"a picture", "public-read")
    return {"media_hostname": "media.lab.test", "media_path": PICTURE}


def hidden(stack: ExitStack, lab: Lab) -> None:
    """Let nobody read the bucket: without a policy, and where ACLs decide, by heeding none."""
    ours = bucket(lab)
    if policy := ours.policy():
        stack.callback(ours.set_policy, policy)
        ours.set_policy({})
    if ours.could_ignore_acls():
        stack.callback(ours.obey_acls)
        ours.ignore_acls()


def another_key(stack: ExitStack, lab: Lab) -> None:
    """Let the server have another key than it had, as with a database that was made anew."""

    def show(key: str) -> None:
        _sql(lab, f"UPDATE keypairs SET public_key = '{key}' WHERE {_ITS}")  # noqa: S608 nobody else wrote it

    before = _sql(lab, f"SELECT public_key FROM keypairs WHERE {_ITS}")  # noqa: S608 nobody else wrote it
    _KNOWN[:] = [fingerprint(before)]
    stack.callback(show, before)
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    show(made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def known_key(_lab: Lab) -> dict[str, object]:
    """Return how the key is declared that was there before."""
    return {"key_fingerprint": _KNOWN[0]}


def clock_off(stack: ExitStack, lab: Lab) -> None:
    """Let the pods of the web process have a clock that is three hours ahead: that of their node is everybody's here."""
    clock = {"name": "clock", "mountPath": "/clock"}
    # The one for programs with threads, which leaves alone what measures time: https://github.com/wolfcw/libfaketime
    faked = {"LD_PRELOAD": "/clock/libfaketimeMT.so.1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    # Within some 10 s of its being written: with a clock that is off, no S3 server lets the stand-in start, as Puma would.
    faked |= {"FAKETIME_TIMESTAMP_FILE": "/clock/now"}
    fetched = {
        "name": "clock",
        "image": image(lab),
        "command": ["sh", "-c", "cp /usr/lib/*/faketime/libfaketimeMT.so.1 /clock/"],
        # The chart's pods have none of their own that is enough for the namespace.
        "securityContext": lab.get(*WEB)["spec"]["template"]["spec"]["containers"][0]["securityContext"],
        "volumeMounts": [clock],
    }
    web = {"name": "mastodon-web", "volumeMounts": [clock]}
    web["env"] = [{"name": name, "value": value} for name, value in faked.items()]
    spec = {"initContainers": [fetched], "containers": [web], "volumes": [{"name": "clock", "emptyDir": {}}]}
    deployment, space, _name = "deployment/mastodon-web", WEB[1], WEB[2]
    stack.callback(lab.kubectl, "rollout", "status", space, deployment, "--timeout=120s")
    stack.callback(lab.kubectl, "rollout", "undo", space, deployment)
    lab.kubectl("patch", *WEB, "--type=strategic", f"--patch={json.dumps({'spec': {'template': {'spec': spec}}})}")
    lab.kubectl("rollout", "status", space, deployment, "--timeout=120s")
    lab.kubectl("exec", space, deployment, "--container=mastodon-web", "--", "sh", "-c", "echo +3h > /clock/now")


def _sql(lab: Lab, statement: str) -> str:
    psql = ("psql", "--tuples-only", "--no-align", "--dbname=mastodon", f"--command={statement}")
    return lab.kubectl("exec", "-n=mastodon", "mastodon-db-1", "--container=postgres", "--", *psql).strip()
