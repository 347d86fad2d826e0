# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's certificates, made with the `openssl` command: the standard library can't sign any."""

from __future__ import annotations

import subprocess

from mastodon_lab.cluster.config import NODE
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab

DAYS = "3650"

# Who the holder of each client certificate is to the API server.
CLIENTS = {
    "admin": "/O=system:masters/CN=lab-admin",
    "apiserver-kubelet-client": "/O=system:masters/CN=kube-apiserver",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kubelet": f"/O=system:nodes/CN=system:node:{NODE}",
    "kube-proxy": "/CN=system:kube-proxy",
}


def ensure(lab: Lab) -> None:
    """Make what is missing of the authority, the certificates and the service-account key; keep the rest."""
    lab.pki.mkdir(parents=True, exist_ok=True)
    lab.pki.chmod(0o700)
    authority(lab, "ca", "/CN=lab")
    serving(lab, "ca", "kube-apiserver", "/CN=kube-apiserver", _api_names(lab))
    serving(lab, "ca", "kubelet-serving", f"/CN={NODE}", f"DNS:{NODE},IP:{lab.node_ip}")
    for name, subject in CLIENTS.items():
        _certificate(lab, name, subject, _signed_by(lab, "ca"), "extendedKeyUsage=clientAuth")
    _service_account_key(lab)


def authority(lab: Lab, name: str, subject: str) -> None:
    """Make an authority of that name unless it is there."""
    _certificate(lab, name, subject, (), "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")


def serving(lab: Lab, signer: str, name: str, subject: str, names: str) -> None:
    """Make a server's certificate unless it is there; `names` are as in `DNS:a,IP:10.0.0.1`."""
    extensions = (f"subjectAltName={names}", "extendedKeyUsage=serverAuth")
    _certificate(lab, name, subject, _signed_by(lab, signer), *extensions)


def _api_names(lab: Lab) -> str:
    names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    addresses = (lab.node_ip, lab.kubernetes_ip, "127.0.0.1")
    return ",".join([f"DNS:{name}" for name in (*names, "localhost")] + [f"IP:{address}" for address in addresses])


def _signed_by(lab: Lab, signer: str) -> tuple[str, ...]:
    return "-CA", str(lab.pki / f"{signer}.crt"), "-CAkey", str(lab.pki / f"{signer}.key")


def _certificate(lab: Lab, name: str, subject: str, signer: tuple[str, ...], *extensions: str) -> None:
    certificate, key = lab.pki / f"{name}.crt", lab.pki / f"{name}.key"
    if certificate.exists():
        return
    fresh = certificate.with_suffix(".new")
    _openssl(
        *("req", "-x509", "-days", DAYS, "-subj", subject, *signer),
        *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"),
        *("-keyout", str(key), "-out", str(fresh)),
        *(word for extension in extensions for word in ("-addext", extension)),
    )
    # The certificate appears last, so its presence says that the pair is complete.
    fresh.rename(certificate)


def _service_account_key(lab: Lab) -> None:
    key, public = lab.pki / "service-account.key", lab.pki / "service-account.pub"
    if public.exists():
        return
    fresh = public.with_suffix(".new")
    _openssl("ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(key))
    _openssl("ec", "-in", str(key), "-pubout", "-out", str(fresh))
    fresh.rename(public)


def _openssl(*words: str) -> None:
    done = subprocess.run(("openssl", *words), capture_output=True, text=True, check=False, umask=0o077)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise LabError(f"openssl {words[0]} failed: {reason[0]}. OpenSSL 3.0 or newer is needed.")
