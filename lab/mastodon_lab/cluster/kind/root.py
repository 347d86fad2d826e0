# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program in the Debian that has Docker, as if that were the whole machine: as long as it runs, nothing but the lab's
folders is there.

The new root is entered by pivot_root(2): what `docker exec` starts would be in the machine's own after a chroot.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path("/run/lab/docker/root")
# A mount namespace more, so that the lab's own keeps its root.
_ENTER = 'cd "$0" && pivot_root . mnt && umount -l /mnt && exec "$@"'


def inside(*command: str) -> tuple[str, ...]:
    """The command that runs `command` there, once the root is furnished."""
    return ("unshare", "--mount", "sh", "-c", _ENTER, str(ROOT), *command)


def furnish(debian: Path, *shown: Path) -> None:
    """Lay the root out in this namespace, which takes it along when it ends; what is written into it is in memory."""
    if ROOT.is_mount():
        return
    upper, work = ROOT.with_name("upper"), ROOT.with_name("work")
    for folder in (ROOT, upper, work):
        folder.mkdir(parents=True, exist_ok=True)
    _mount(f"-t overlay -o lowerdir={debian},upperdir={upper},workdir={work} overlay {ROOT}")
    for name in ("proc", "sys", "dev"):
        _mount(f"--rbind /{name} {ROOT}/{name}")
    for name in ("run", "tmp"):
        _mount(f"-t tmpfs -o mode=755 tmpfs {ROOT}/{name}")
    for folder in shown:
        there = ROOT / folder.relative_to("/")
        there.mkdir(parents=True, exist_ok=True)
        _mount(f"--rbind {folder} {there}")
    (ROOT / "etc/resolv.conf").unlink(missing_ok=True)
    (ROOT / "etc/resolv.conf").touch()


def _mount(words: str) -> None:
    subprocess.run(("mount", "--no-mtab", *words.split()), check=True)


def main(words: list[str]) -> None:
    debian, state, cache, *command = words
    furnish(Path(debian), Path(state), Path(cache))
    command = [*inside(*command)]
    os.execvp(command[0], command)  # noqa: S606 there is no shell to be wanted


if __name__ == "__main__":
    main(sys.argv[1:])
