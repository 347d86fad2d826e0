# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For whom an API server takes us, and all that it takes to ask."""

from __future__ import annotations

import base64
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.client import Client
from ansible_collections.fediverse.mastodon.plugins.module_utils._tasks._shared.kubernetes import connect
from ansible_collections.fediverse.mastodon.tests.integration.api.kubeconfigs import (
    CERTIFICATE,
    DEV,
    OTHER,
    USUAL,
    V1,
    Case,
    context,
    reported,
)
from ansible_collections.fediverse.mastodon.tests.integration.api.servers import LOGIN, Elsewhere, Tunnel
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
BODY = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
# A user as the API server tells it, or why there is none.
Answer = dict[str, Any] | str


@dataclass(frozen=True)
class World:
    """What kubeconfigs speak of: the words in their texts, and where their files are."""

    words: Mapping[str, str]
    folder: Path
    kubectl: str
    tunnel: Tunnel

    def of(self, value: Any) -> Any:
        """Return a value with its words in place."""
        if isinstance(value, str):
            return value.format_map(self.words)
        if isinstance(value, Mapping):
            return {self.of(key): self.of(item) for key, item in value.items() if item is not None}
        return [self.of(item) for item in value] if isinstance(value, list) else value

    def environment(self, case: Case) -> dict[str, str]:
        """Return the environment of a case: nothing but a way to programs, and what it says."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder / "home"), **self.of(case.environment)}

    def kubeconfig(self, name: str, case: Case) -> str:
        """Write a case's files, and return their names as KUBECONFIG has them."""
        cluster, usual = {**USUAL["cluster"], **case.cluster}, {"apiVersion": "v1", "kind": "Config"}
        document = {
            **usual,
            "current-context": "x",
            "contexts": [context()],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": case.user}],
            **case.top,
        }
        texts = [case.text or json.dumps(self.of(document))]
        texts += [json.dumps(self.of({**usual, **more})) for more in case.more]
        files = [self.folder / f"{name.replace(' ', '-')}-{number}" for number, _unused in enumerate(texts)]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        return ":".join(map(str, files))


def ours(parameters: Mapping[str, Any], environment: Mapping[str, str]) -> Answer:
    """Ask as the modules do."""
    try:
        connection = connect(parameters, environment)
        review = Client(connection, sleep=lambda seconds: None).request("POST", REVIEWS, about="Whoever", body=BODY)
    except MastodonError as error:
        return str(error)
    return user_of(review)


def user_of(review: Mapping[str, Any]) -> dict[str, Any]:
    """Return who it is. The API server adds an identifier to each use of a credential."""
    user = dict(review["status"]["userInfo"])
    extra = {key: value for key, value in (user.get("extra") or {}).items() if "credential-id" not in key}
    return {**user, "groups": sorted(user.get("groups") or []), "extra": extra}


def made(folder: Path) -> tuple[str, str]:
    """Make a certificate that nobody knows, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    signed = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, SHA256())
    pems = signed.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "nobody.pem").write_bytes(b"".join(pems))
    return pems[0].decode(), pems[1].decode()


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def developer(admin: Client, namespace: str) -> str:
    """Make an account that may do anything with ConfigMaps of its namespace, and return its token."""
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]
    subjects = [{"kind": "ServiceAccount", "name": "developer", "namespace": namespace}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "developer"}
    core, rbac = f"/api/v1/namespaces/{namespace}", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    metadata = {"metadata": {"name": "developer"}}
    admin.request("POST", f"{core}/serviceaccounts", about="account", body=metadata)
    admin.request("POST", f"{rbac}/roles", about="role", body={**metadata, "rules": rules})
    binding = {**metadata, "roleRef": reference, "subjects": subjects}
    admin.request("POST", f"{rbac}/rolebindings", about="binding", body=binding)
    asked = {"spec": {"expirationSeconds": 3600}}
    answer = admin.request("POST", f"{core}/serviceaccounts/developer/token", about="token", body=asked)
    return str(answer["status"]["token"])


@contextmanager
def made_world(kubeconfig: str, folder: Path) -> Iterator[World]:
    """Make all that kubeconfigs may speak of, and take it away afterwards."""
    content = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    admin = Client(connect({"kubeconfig": kubeconfig}, {}))
    namespace = f"whoever-{uuid.uuid4().hex[:8]}"
    admin.request("POST", "/api/v1/namespaces", about=namespace, body={"metadata": {"name": namespace}})
    wrong, wrong_key = made(folder)
    expired = f"e30.{base64.urlsafe_b64encode(json.dumps({'exp': 1}).encode()).decode().rstrip('=')}.x"
    tunnel, guarded, elsewhere = Tunnel(), Tunnel(LOGIN), Elsewhere(folder / "nobody.pem")
    words = {
        "server": cluster["server"],
        "address": cluster["server"].removeprefix("https://"),
        "ca": cluster["certificate-authority-data"],
        "certificate": user["client-certificate-data"],
        "key": user["client-key-data"],
        "wrong_ca": encoded(wrong),
        "wrong_key": encoded(wrong_key),
        "token": developer(admin, namespace),
        "expired": expired,
        "namespace": namespace,
        "folder": str(folder),
        "proxy": f"http://{tunnel.address}",
        "proxy_with_login": f"http://{quote(LOGIN, safe=':')}@{guarded.address}",
        "proxy_with_wrong_login": f"http://me:wrong@{guarded.address}",
        "other": elsewhere.address,
    }
    write_files(folder, words)
    places = {
        "guarded": f"http://{guarded.address}",
        **{name: str(folder / name) for name in ("kubeconfig", "admin", "elsewhere")},
    }
    world = World({**words, **places}, folder, "", tunnel)
    contexts = [context(), context("other", name="elsewhere")]
    for name, user, current in (
        ("kubeconfig", DEV, "x"),
        ("admin", {**DEV, "user": CERTIFICATE}, "x"),
        ("elsewhere", DEV, "elsewhere"),
    ):
        content = {"current-context": current, "contexts": contexts, "clusters": [USUAL, OTHER], "users": [user]}
        (folder / name).write_text(json.dumps(world.of(content)))
    beside = Path(kubeconfig).with_name("lab.json")
    program = json.loads(beside.read_text())["kubectl"] if beside.is_file() else shutil.which("kubectl") or "kubectl"
    yield replace(world, kubectl=program)
    for server in (tunnel, guarded, elsewhere):
        server.close()
    admin.request("DELETE", f"/api/v1/namespaces/{namespace}", about=namespace)


def write_files(folder: Path, words: Mapping[str, str]) -> None:
    """Write what kubeconfigs name."""
    plain = {name: base64.b64decode(words[name]).decode() for name in ("ca", "certificate", "key", "wrong_ca")}
    status = {"clientCertificateData": plain["certificate"], "clientKeyData": plain["key"]}
    credential = {"apiVersion": V1, "kind": "ExecCredential", "status": status}
    script = f"#!/bin/sh\n{reported(token='{token}').format_map(words)}\n"
    files = {
        "ca.pem": plain["ca"],
        "wrong-ca.pem": plain["wrong_ca"],
        "client.pem": plain["certificate"],
        "client-key.pem": plain["key"],
        "token": words["token"],
        "credential.json": json.dumps(credential),
        "plugin": script,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "plugin").chmod(0o700)
    (folder / "home").mkdir()
