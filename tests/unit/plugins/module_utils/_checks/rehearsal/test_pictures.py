# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of restored posts are looked for where Mastodon keeps them; those that are missing or something else are named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.fediverse.mastodon.plugins.module_utils._checks.rehearsal.pictures import (
    Looked,
    Picture,
    is_picture,
    look,
)

PNG = b"\x89PNG\r\n\x1a\n and so on"
ONE, TWO = Picture(1, "one.png"), Picture(114321234567890123, "two.png")


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (1234, "000/001/234"),
        (999_999_999, "999/999/999"),
        (1_000_000_000, "001/000/000/000"),
        (114321234567890123, "114/321/234/567/890/123"),
        (1143212345678901234, "114/321/234/567/890/123"),
    ],
)
def test_a_picture_is_where_paperclip_puts_it(number: int, key: str) -> None:
    assert Picture(number, "a.png").key == f"media_attachments/files/{key}/original/a.png"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PNG, True),
        (b"\xff\xd8\xff\xe0 JPEG", True),
        (b"GIF89a", True),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", True),
        (b"\x00\x00\x00\x1cftypavif", True),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", False),
        (b"<html>not found</html>", False),
        (b"", False),
    ],
)
def test_a_picture_is_known_by_how_it_begins(content: bytes, expected: bool) -> None:
    assert is_picture(content) is expected


def looked(bucket: dict[str, bytes], *deleted: Picture, copy: dict[str, bytes] | None = None) -> Looked:
    def still_there(some: Sequence[Picture]) -> Sequence[Picture]:
        return [one for one in some if one not in deleted]

    return look([ONE, TWO], bucket.get, still_there, (copy or {}).get)


def test_those_that_are_there_are_counted() -> None:
    found = looked({ONE.key: PNG, TWO.key: PNG})
    assert (found.problems(), found.line()) == ([], "pictures of posts that are in the bucket: 2 of 2")


def test_those_that_are_missing_or_something_else_are_named() -> None:
    assert looked({TWO.key: b"<html>"}).problems() == [
        f"1 of 2 pictures of its posts are not in the bucket ({ONE.key})",
        f"1 of 2 pictures of its posts are something else there ({TWO.key})",
    ]


def test_what_the_bucket_lacks_is_looked_for_in_its_copy() -> None:
    found = looked({TWO.key: PNG}, copy={ONE.key: PNG})
    line = f"pictures of posts that are in the bucket: 1 of 2, and in its copy alone: 1 ({ONE.key})"
    assert (found.problems(), found.line()) == ([], line)
    assert looked({TWO.key: PNG}, copy={ONE.key: b"<html>"}).problems() == [
        f"1 of 2 pictures of its posts are something else there ({ONE.key})"
    ]
    assert looked({TWO.key: PNG}, copy={TWO.key: PNG}).problems() == [
        f"1 of 2 pictures of its posts are not in the bucket ({ONE.key})"
    ]


def test_what_was_deleted_since_need_not_be_there() -> None:
    found = looked({TWO.key: PNG}, ONE)
    assert (found.problems(), found.line()) == ([], "pictures of posts that are in the bucket: 1 of 1")


def test_without_a_picture_none_is_missing() -> None:
    found = look([], {}.get, lambda some: some)
    assert (found.problems(), found.line()) == ([], "no post has a picture")
