# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pod a Service leads to, and what is said when there is none. The socket itself is watched on a real cluster."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._errors import MastodonError
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube import forward
from ansible_collections.fediverse.mastodon.plugins.module_utils._kube.forward import Service, dial, service_at
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from urllib3 import PoolManager

S3 = Service("store", "s3", 80)


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("s3.store.svc", S3),
        ("s3.store.svc.cluster.local", S3),
        ("s3.store.svc.my.domain", S3),
        ("s3.store", None),
        ("s3.example.org", None),
        ("10.0.0.1", None),
        ("a.s3.store.svc", None),
    ],
)
def test_a_host_of_the_cluster_is_distinguished_from_one_outside(host: str, found: Service | None) -> None:
    assert service_at(host, 80) == found


def cluster(services: list[dict[str, Any]], slices: list[dict[str, Any]]) -> Any:
    """A connection to an API server that has these."""

    def request(_method: str, url: str, **_unused: Any) -> Any:
        items = slices if "/endpointslices" in url else services
        body = {"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items}
        return SimpleNamespace(status=200, data=json.dumps(body).encode(), headers={})

    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    pool: Any = PoolManager(ssl_context=trusting, retries=False)
    pool.request = request
    return SimpleNamespace(host="https://cluster", pool=pool, headers=dict)


SERVICE = {"metadata": {"name": "s3"}, "spec": {"ports": [{"name": "web", "port": 80, "targetPort": "http"}]}}


def slice_of(service: str, *, ready: bool | None, kind: str = "Pod", port: str = "web") -> dict[str, Any]:
    return {
        "metadata": {"name": "x", "labels": {"kubernetes.io/service-name": service}},
        "ports": [{"name": port, "port": 8080}],
        "endpoints": [
            {
                "targetRef": {"kind": kind, "name": f"{service}-0"},
                "conditions": {} if ready is None else {"ready": ready},
            }
        ],
    }


@pytest.mark.parametrize("ready", [True, None])
def test_leads_to_a_ready_pod_and_the_port_behind_the_name(monkeypatch: pytest.MonkeyPatch, ready: bool | None) -> None:
    found: list[Any] = []
    monkeypatch.setattr(forward, "_forward", lambda *arguments: found.append(arguments[1:]))
    dial(cluster([SERVICE], [slice_of("other", ready=True), slice_of("s3", ready=ready)]), S3)
    assert found == [(str(S3), "store", "s3-0", 8080)]


@pytest.mark.parametrize(
    ("services", "slices", "reported"),
    [
        ([], [], "Service store/s3: does not exist."),
        ([{"metadata": {"name": "s3"}, "spec": {"ports": [{"port": 443}]}}], [], "Service store/s3: has no port 80."),
        ([SERVICE], [], "Service store/s3: cannot be reached: no pod behind it is ready."),
        ([SERVICE], [slice_of("s3", ready=False)], "no pod behind it is ready"),
        ([SERVICE], [slice_of("s3", ready=True, kind="Node")], "no pod behind it is ready"),
        ([SERVICE], [slice_of("s3", ready=True, port="metrics")], "no pod behind it is ready"),
        ([SERVICE], [slice_of("other", ready=True)], "no pod behind it is ready"),
    ],
)
def test_no_way_is_reported_in_one_sentence(services: list[Any], slices: list[Any], reported: str) -> None:
    with pytest.raises(MastodonError) as refused:
        dial(cluster(services, slices), S3)
    assert reported in str(refused.value)


def test_a_refused_connection_names_the_right_that_is_needed() -> None:
    connection = cluster([SERVICE], [slice_of("s3", ready=True)])
    with socket.create_server(("127.0.0.1", 0)) as closed:
        connection.host = f"https://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(MastodonError, match="get and create pods/portforward in namespace store"):
        dial(connection, S3)


def tls(folder: Path) -> ssl.SSLContext:
    """A server's TLS with a certificate of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    (folder / "server.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def speak_first(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Be an API server whose pod has spoken by the time that the handshake is answered: all goes out at once."""
    plain, _unused = listening.accept()
    with context.wrap_socket(plain, server_side=True) as link:
        asked = link.recv(65536).decode()
        key = asked.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        proof = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()).decode()  # noqa: S324 RFC 6455
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += f"Sec-WebSocket-Protocol: v4.channel.k8s.io\r\nSec-WebSocket-Accept: {proof}\r\n\r\n"
        port = (8080).to_bytes(2, "little")
        frames = [b"\x00" + port, b"\x01" + port, b"\x00220 mail.test\r\n"]
        link.sendall(head.encode() + b"".join(bytes([0x82, len(frame)]) + frame for frame in frames))
        if link.recv(2)[0] & 0x0F == 0x09:
            link.sendall(bytes([0x8A, 0]))
        link.recv(1)


def test_a_server_that_speaks_first_is_heard(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Thread(target=speak_first, args=(listening, tls(tmp_path)), daemon=True)
        server.start()
        connection = cluster([SERVICE], [slice_of("s3", ready=True)])
        connection.host = f"https://127.0.0.1:{listening.getsockname()[1]}"
        opened = dial(connection, S3)
        opened.settimeout(10)
        assert opened.recv(100) == b"220 mail.test\r\n"
        opened.close()
        server.join(10)
