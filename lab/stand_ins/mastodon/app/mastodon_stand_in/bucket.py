# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The S3 bucket that keeps media."""

from __future__ import annotations

from typing import Any

from mastodon_stand_in.errors import UnavailableError
from mastodon_stand_in.settings import BucketSettings


class Bucket:
    """Put and get objects, with upstream's time-outs and headers (config/initializers/paperclip.rb)."""

    def __init__(self, settings: BucketSettings) -> None:
        # Not at the top, as it can't be installed beside the collection's own libraries, with which unit tests run.
        import boto3
        from botocore.client import Config
        from botocore.exceptions import BotoCoreError, ClientError

        self.settings = settings
        self._errors: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
        self._client = boto3.client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.path_style else "virtual"},
                connect_timeout=5,
                read_timeout=5,
                retries={"total_max_attempts": 1},
            ),
        )

    def __str__(self) -> str:
        return f"Bucket {self.settings.bucket} at {self.settings.endpoint}"

    def check(self) -> None:
        """Raise UnavailableError unless the bucket is there and the credentials open it."""
        self._call("head_bucket")

    def put(self, key: str, data: bytes, content_type: str) -> None:
        """Store an object that everyone may read."""
        acl = {"ACL": self.settings.permission} if self.settings.permission else {}
        forever = "public, max-age=315576000, immutable"
        self._call("put_object", Key=key, Body=data, ContentType=content_type, CacheControl=forever, **acl)

    def get(self, key: str) -> bytes:
        """Return an object's bytes."""
        data: bytes = self._call("get_object", Key=key)["Body"].read()
        return data

    def delete(self, key: str) -> None:
        """Delete an object; one that is gone already is no error, as S3 has it."""
        self._call("delete_object", Key=key)

    def _call(self, operation: str, **arguments: object) -> Any:
        try:
            return getattr(self._client, operation)(Bucket=self.settings.bucket, **arguments)
        except self._errors as error:
            raise UnavailableError(f"{self}: {error}. Check mastodon.s3 and the keys in its Secret.") from error
