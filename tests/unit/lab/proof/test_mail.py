# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from mastodon_lab.errors import LabError
from mastodon_lab.proof import mail, post
from mastodon_lab.proof.session import EMAIL
from mastodon_lab.proof.site import Answer, Site

LINK = "https://social.lab.test/auth/password/edit?reset_password_token=T0-KEN_"
MESSAGE = {"From": {"Address": "notifications@lab.test"}, "Subject": "Reset", "Text": f"Visit:\n{LINK}\n"}


class Lab(Site):
    """A site whose form is answered, and after which mail is there or not."""

    message: dict[str, Any] | None
    asked: list[str]

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        self.asked.append(f"{method} {path}")
        return Answer(302 if method == "POST" else 200, "text/html", b"<form action='/auth/password'></form>")

    def in_namespace(self, *arguments: str) -> str:
        return json.dumps({"data": {"SMTP_FROM_ADDRESS": "Lab <notifications@lab.test>"}})

    def json_of(self, url: str) -> Any:
        if "/message/" in url:
            return self.message
        was_asked = "POST /auth/password" in self.asked
        return {"messages": [{"ID": "old"}, *([{"ID": "new"}] if was_asked and self.message else [])]}


def lab(monkeypatch: pytest.MonkeyPatch, message: dict[str, Any] | None, mail_api: str = "http://mail.test") -> Lab:
    made = Lab("192.0.2.1", ("kubectl",), "http://vault.test", "token", "", mail_api=mail_api)
    object.__setattr__(made, "message", message)
    object.__setattr__(made, "asked", [])
    monkeypatch.setattr(mail, "json_of", made.json_of)
    monkeypatch.setattr(post, "SECONDS", 0.0)
    return made


def test_a_mail_that_comes_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    there = lab(monkeypatch, MESSAGE)
    assert mail.mail_arrives(there) == "mail 'Reset' came from notifications@lab.test, and its link works"
    assert there.asked[-1] == "GET /auth/password/edit?reset_password_token=T0-KEN_"


@pytest.mark.parametrize(
    ("message", "trouble"),
    [
        (None, f"Mail to {EMAIL}: none has come after"),
        (
            {**MESSAGE, "From": {"Address": "else@lab.test"}},
            "it is from else@lab.test, ConfigMap mastodon/mastodon-env",
        ),
        ({**MESSAGE, "Text": "https://elsewhere.test/auth/password/edit"}, "it has no link to https://social.lab.test"),
    ],
)
def test_a_mail_that_is_wrong_or_missing_is_reported(
    monkeypatch: pytest.MonkeyPatch, message: dict[str, Any] | None, trouble: str
) -> None:
    with pytest.raises(LabError, match=trouble):
        mail.mail_arrives(lab(monkeypatch, message))


def test_a_lab_without_mail_is_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    there = lab(monkeypatch, MESSAGE, mail_api="")
    assert mail.mail_arrives(there).startswith("skipped: mail: this lab has no mail server")
    assert there.asked == []
