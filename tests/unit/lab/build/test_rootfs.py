# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from mastodon_lab.build import rootfs
from mastodon_lab.build.store import Store
from mastodon_lab.errors import LabError

from .conftest import Program

STATUS = """\
Package: adduser
Status: install ok installed
Version: 3.134
Description: add and remove users
 This one has
 more lines

Package: postgresql-15
Version: 15.20-0+deb12u1

Package: redis-server
Version: 5:7.0.15-1~deb12u6
"""


@pytest.fixture
def authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "ca-certificates.crt"
    file.write_text("certificates\n")
    monkeypatch.setattr(rootfs, "AUTHORITIES", file)
    return file


def debian_with(path: Path, status: str) -> Path:
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("./var/lib/dpkg/status")
        member.size = len(status)
        archive.addfile(member, io.BytesIO(status.encode()))
    return path


def test_busybox_has_what_single_binaries_need(tmp_path: Path, program: Program, authorities: Path) -> None:
    program("busybox", "echo busybox; echo sh; echo ls")
    with tarfile.open(rootfs.busybox(Store(tmp_path))) as layer:
        names = {member.name: member for member in layer}
    assert {"bin/busybox", "bin/sh", "bin/ls", "etc/passwd", "etc/group", "etc/os-release"} <= names.keys()
    assert (names["bin/sh"].linkname, names["tmp"].mode) == ("busybox", 0o1777)
    assert names["bin/busybox"].isfile()
    assert authorities.read_bytes()


def test_busybox_follows_the_machine_s_authorities(tmp_path: Path, program: Program, authorities: Path) -> None:
    program("busybox", "echo sh")
    before = rootfs.busybox(Store(tmp_path))
    authorities.write_text("more certificates\n")
    assert rootfs.busybox(Store(tmp_path)) != before


def test_missing_busybox_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="apt-get install busybox-static"):
        rootfs.busybox(Store(tmp_path))


def test_missing_authorities_are_said(tmp_path: Path, program: Program, authorities: Path) -> None:
    program("busybox", "echo sh")
    authorities.unlink()
    with pytest.raises(LabError, match="apt-get install ca-certificates"):
        rootfs.busybox(Store(tmp_path))


def test_debian_is_made_once_with_its_packages_and_hooks(tmp_path: Path, program: Program) -> None:
    program("mmdebstrap", f'printf "%s\\n" "$@" >> {tmp_path}/asked; for last; do :; done; echo tar > "$last"')
    store = Store(tmp_path)
    made = [rootfs.debian(store, "db", ("postgresql-15", "redis-server"), ("hook",), tmp_path / "log") for _ in "12"]
    asked = (tmp_path / "asked").read_text().splitlines()
    assert made[0] == made[1]
    assert made[0].read_text() == "tar\n"
    assert asked.count("bookworm") == 1
    assert {"--variant=minbase", "--include=postgresql-15,redis-server", "--customize-hook=hook"} <= set(asked)


def test_a_debian_may_be_of_another_release(tmp_path: Path, program: Program) -> None:
    program("mmdebstrap", f'printf "%s\\n" "$@" >> {tmp_path}/asked; for last; do :; done; echo tar > "$last"')
    store = Store(tmp_path)
    usual = rootfs.debian(store, "x", ("a",), (), tmp_path / "log")
    assert rootfs.debian(store, "x", ("a",), (), tmp_path / "log", "trixie") != usual
    assert "trixie" in (tmp_path / "asked").read_text().splitlines()


def test_a_debian_may_be_a_folder(tmp_path: Path, program: Program) -> None:
    program("mmdebstrap", 'for last; do :; done; mkdir -p "$last/etc"')
    assert (rootfs.debian(Store(tmp_path), "x", ("a",), (), tmp_path / "log", target=rootfs.ROOT) / "etc").is_dir()


def test_debian_that_can_t_be_made_is_said(tmp_path: Path, program: Program) -> None:
    program("mmdebstrap", "echo 'E: no mirror' >&2; exit 1")
    with pytest.raises(LabError, match=r"^Making a Debian with redis-server: E: no mirror\. Check that this machine"):
        rootfs.debian(Store(tmp_path), "db", ("redis-server",), (), tmp_path / "log")


@pytest.mark.parametrize(
    ("package", "version"), [("postgresql-15", "15.20"), ("redis-server", "7.0.15"), ("adduser", "3.134")]
)
def test_package_version_is_upstream_s(tmp_path: Path, package: str, version: str) -> None:
    assert rootfs.package_version(debian_with(tmp_path / "layer.tar", STATUS), package) == version


def test_a_package_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^Package postgresql-17: it is not in "):
        rootfs.package_version(debian_with(tmp_path / "layer.tar", STATUS), "postgresql-17")
