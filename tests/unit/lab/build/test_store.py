# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from mastodon_lab.build.store import KEPT, Store, discard, key, tree_key
from mastodon_lab.errors import LabError


def test_key_tells_where_one_input_ends() -> None:
    assert key("ab", "c") != key("a", "bc")
    assert key("ab") != key("ab", "")
    assert key("ab") == key(b"ab")


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (lambda folder: (folder / "a").write_text("2"), True),
        (lambda folder: (folder / "a").rename(folder / "b"), True),
        (lambda folder: (folder / "a").chmod(0o755), True),
        (lambda folder: os.utime(folder / "a", (1, 1)), False),
        (lambda folder: (folder / ".a.swp").write_text("x"), False),
        (lambda folder: ((folder / "__pycache__").mkdir(), (folder / "__pycache__/a.pyc").write_text("x")), False),
    ],
    ids=["content", "name", "mode", "time", "editor's file", "bytecode"],
)
def test_tree_key_follows_what_matters(tmp_path: Path, change: object, differs: bool) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").chmod(0o644)
    before = tree_key(tmp_path)
    assert callable(change)
    change(tmp_path)
    assert (tree_key(tmp_path) != before) is differs


class Building:
    """A build that counts its runs and may be stopped half-way."""

    def __init__(self, stop: BaseException | None = None) -> None:
        self.runs, self.stop = 0, stop

    def __call__(self, into: Path) -> None:
        self.runs += 1
        assert list(into.iterdir()) == []
        (into / "half").write_text("x")
        if self.stop:
            raise self.stop
        (into / "whole").write_text("x")


def test_an_artefact_is_made_once(tmp_path: Path) -> None:
    store, build = Store(tmp_path), Building()
    path = store.make("thing", "1", build)
    assert store.make("thing", "1", build) == path
    assert (build.runs, (path / "whole").exists()) == (1, True)
    assert store.make("thing", "2", build) != path


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), LabError("compiler: no"), OSError(28, "No space left on device")]
)
def test_what_was_stopped_is_not_believed(tmp_path: Path, stop: BaseException) -> None:
    store = Store(tmp_path)
    with pytest.raises(LabError if isinstance(stop, OSError) else type(stop)):
        store.make("thing", "1", Building(stop))
    assert not store.path("thing", "1").exists()
    assert (store.make("thing", "1", Building()) / "whole").exists()


def test_an_artefact_that_lost_something_is_refused(tmp_path: Path) -> None:
    path = Store(tmp_path).make("thing", "1", Building())
    (path / "whole").write_text("")
    with pytest.raises(LabError, match=rf"^{path}: damaged, it has 2 files with 1 bytes in place of 2 files with 2 by"):
        Store(tmp_path).make("thing", "1", Building())
    discard(path)
    assert (Store(tmp_path).make("thing", "1", Building()) / "whole").read_text() == "x"


def test_an_artefact_from_before_sizes_were_noted_is_believed_once(tmp_path: Path) -> None:
    path = Store(tmp_path).make("thing", "1", Building())
    discard(tmp_path / "sizes")
    Store(tmp_path).make("thing", "1", Building())
    (path / "whole").unlink()
    with pytest.raises(LabError, match="damaged"):
        Store(tmp_path).make("thing", "1", Building())


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"^Build of thing: No space left on device\. Check free space"):
        Store(tmp_path).make("thing", "1", Building(OSError(28, "No space left on device")))


def test_pruning_keeps_what_was_used_last(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = [store.make("some-thing", str(number), Building()) for number in range(4)]
    other = store.make("some", "1", Building())
    for age, path in enumerate([*made, other]):
        os.utime(path, (100 - age, 100 - age))
    os.utime(store.make("some-thing", "3", Building()), (200, 200))
    (tmp_path / "artefacts/.left-1.partial").mkdir()
    store.prune()
    assert set((tmp_path / "artefacts").iterdir()) == {made[3], made[0], other}
    assert {note.name for note in (tmp_path / "sizes").iterdir()} == {made[3].name, made[0].name, other.name}
    assert KEPT == 2


def test_using_an_artefact_makes_it_the_last_used(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.make("thing", "1", Building())
    os.utime(path, (1, 1))
    store.make("thing", "1", Building())
    assert path.stat().st_mtime > 1


def test_discard_removes_read_only_trees_and_leaves_link_targets(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (outside / "kept").write_text("x")
    (tree / "inner").mkdir(parents=True)
    (tree / "inner/file").write_text("x")
    (tree / "link").symlink_to(outside)
    (tree / "inner").chmod(0o555)
    discard(tree)
    discard(tree)
    assert not tree.exists()
    assert (outside / "kept").exists()


def test_only_one_process_builds_and_others_say_that_they_wait(tmp_path: Path) -> None:
    said: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def build() -> None:
        with Store(tmp_path).locked(said.append):
            began.set()
            go_on.wait()

    first = threading.Thread(target=build)
    first.start()
    began.wait()

    def note(text: str) -> None:
        said.append(text)
        go_on.set()

    with Store(tmp_path).locked(note):
        assert (tmp_path / "build.lock").exists()
    first.join()
    assert said == [f"another lab builds into {tmp_path}: waiting until it is done"]
