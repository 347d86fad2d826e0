# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from mastodon_lab.cluster import pki
from mastodon_lab.errors import LabError
from mastodon_lab.lab import Lab


def openssl(*words: str) -> str:
    return subprocess.run(("openssl", *words), capture_output=True, text=True, check=True).stdout


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_every_certificate_is_signed_by_the_authority_and_none_is_made_twice(lab: Lab) -> None:
    pki.ensure(lab)
    for name in ("kube-apiserver", "kubelet-serving", *pki.CLIENTS):
        assert "OK" in openssl("verify", "-CAfile", str(lab.pki / "ca.crt"), str(lab.pki / f"{name}.crt"))
    before = contents(lab.pki)
    pki.ensure(lab)
    assert contents(lab.pki) == before


def test_the_api_server_is_known_by_every_name_it_is_called(lab: Lab) -> None:
    pki.ensure(lab)
    shown = openssl("x509", "-in", str(lab.pki / "kube-apiserver.crt"), "-noout", "-text")
    for name in ("IP Address:10.209.128.1", "IP Address:10.209.0.1", "DNS:kubernetes.default.svc"):
        assert name in shown


def test_keys_are_for_root_only(lab: Lab) -> None:
    pki.ensure(lab)
    assert lab.pki.stat().st_mode & 0o077 == 0
    assert all(key.stat().st_mode & 0o077 == 0 for key in lab.pki.glob("*.key"))


def test_a_pair_that_was_interrupted_is_made_again(lab: Lab) -> None:
    pki.ensure(lab)
    (lab.pki / "kubelet.crt").unlink()
    pki.ensure(lab)
    public = openssl("x509", "-in", str(lab.pki / "kubelet.crt"), "-noout", "-pubkey")
    assert public == openssl("pkey", "-in", str(lab.pki / "kubelet.key"), "-pubout")


def test_a_failing_openssl_is_one_sentence(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.pki.mkdir()
    (lab.pki / "ca.crt").write_text("broken")
    with pytest.raises(LabError, match="openssl req failed: ") as caught:
        pki.ensure(lab)
    assert "\n" not in str(caught.value)
