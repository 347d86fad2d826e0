# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache: each artefact is a folder named after what it was made from, and is there whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mastodon_lab.errors import LabError

KEY_LENGTH = 16
# Of each artefact: the one in use, and one of another checkout or to go back to.
KEPT = 2
# Made before anything else; nothing but a cache of the lab's has it.
BUILD_LOCK = "build.lock"


def key(*inputs: str | bytes) -> str:
    """A short name for these inputs; each counts apart, so that moving a letter between two of them shows."""
    digest = hashlib.sha256()
    for value in inputs:
        data = value.encode() if isinstance(value, str) else value
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:KEY_LENGTH]


def tree_key(*folders: Path) -> str:
    """The key of all files below these folders: relative names, contents and whether they may be run."""
    return key(*(part for folder in folders for path in files_below(folder) for part in _describe(folder, path)))


def files_below(folder: Path) -> list[Path]:
    """Every file of a tree in a stable order, less what Python and editors leave behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    )


def _describe(folder: Path, path: Path) -> Iterable[str | bytes]:
    return str(path.relative_to(folder)), str(path.stat().st_mode & 0o111 != 0), path.read_bytes()


class Store:
    """Artefacts below one folder. Two processes never make artefacts at the same time: see `locked`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._artefacts = root / "artefacts"
        self._sizes = root / "sizes"
        self._believed: set[Path] = set()

    def path(self, name: str, made_from: str) -> Path:
        return self._artefacts / f"{name}-{made_from}"

    def has(self, name: str) -> bool:
        """Whether any artefact of this name was ever finished here."""
        return any(self._artefacts.glob(f"{name}-*"))

    def make(self, name: str, made_from: str, build: Callable[[Path], None]) -> Path:
        """The artefact's folder, made by `build` unless it is there.

        `build` gets an empty folder that becomes the artefact by one rename, so whatever stops it half-way leaves
        nothing that the next run would believe. A crash of the machine may still take what was in files: see below.
        """
        path = self.path(name, made_from)
        if path.is_dir():
            self._refuse_damaged(path)
            path.touch()
            return path
        partial = self._partial(path)
        discard(partial)
        partial.mkdir(parents=True)
        try:
            build(partial)
        except OSError as error:
            raise LabError(
                f"Build of {name}: {error.strerror or error}. "
                f"Check free space and permissions of {self.root}, then run the same command again."
            ) from error
        self._note_size(path, _size(partial))
        partial.rename(path)
        return path

    def _refuse_damaged(self, path: Path) -> None:
        """Raise LabError unless an artefact has the size that it was made with; one look for each is enough."""
        if path in self._believed:
            return
        note, found = self._sizes / path.name, _size(path)
        # Those made before sizes were noted are believed as they are.
        if not note.exists():
            self._note_size(path, found)
        elif note.read_text() != found:
            raise LabError(
                f"{path}: damaged, it has {found} in place of {note.read_text() or 'what it was made with'}. "
                "Remove that folder, then run the same command again."
            )
        self._believed.add(path)

    def _note_size(self, path: Path, size: str) -> None:
        self._sizes.mkdir(exist_ok=True)
        (self._sizes / path.name).write_text(size)
        self._believed.add(path)

    def prune(self) -> None:
        """Remove what a killed build left, and artefacts of which KEPT of the same name were used since."""
        for leftover in self._artefacts.glob(".*.partial"):
            discard(leftover)
        by_name: dict[str, list[Path]] = {}
        for path in self._artefacts.iterdir():
            by_name.setdefault(path.name.rpartition("-")[0], []).append(path)
        for paths in by_name.values():
            for path in sorted(paths, key=_used, reverse=True)[KEPT:]:
                discard(path.rename(self._partial(path)))
                (self._sizes / path.name).unlink(missing_ok=True)

    def _partial(self, path: Path) -> Path:
        return self._artefacts / f".{path.name}.partial"

    @contextmanager
    def locked(self, say: Callable[[str], None]) -> Iterator[None]:
        """Wait until no other process builds into this cache, and say so if that is not at once."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / BUILD_LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another lab builds into {self.root}: waiting until it is done")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _size(folder: Path) -> str:
    """What all files below a folder amount to, links not followed."""
    sizes = [os.lstat(Path(where, name)).st_size for where, _, names in os.walk(folder) for name in names]
    return f"{len(sizes)} files with {sum(sizes)} bytes"


def _used(path: Path) -> int:
    return path.stat().st_mtime_ns


def discard(path: Path) -> None:
    """Remove a folder, also one whose files or folders are read-only, as Go's module cache makes them."""
    if path.is_dir():
        for folder in (path, *(inner for inner in path.rglob("*") if inner.is_dir() and not inner.is_symlink())):
            folder.chmod(0o755)
        shutil.rmtree(path)
