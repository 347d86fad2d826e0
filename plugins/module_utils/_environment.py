# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of Mastodon's that values of the chart decide, by what the chart calls them: data only.

https://docs.joinmastodon.org/admin/config/ and `charts/mastodon/templates/_env.tpl` of https://github.com/mastodon/helm-charts. Of Redis
those of Sidekiq and the cache are left out, which may be others, and ALTERNATE_DOMAINS, by which nobody knows an instance.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES: Mapping[str, str] = {
    "LOCAL_DOMAIN": "mastodon.localDomain",
    "WEB_DOMAIN": "mastodon.webDomain",
    "DEFAULT_LOCALE": "mastodon.locale",
    "TRUSTED_PROXY_IP": "mastodon.trustedProxyIp",
    # Rails puts the URL over all the others: https://guides.rubyonrails.org/configuring.html#configuring-a-database
    "DATABASE_URL": "postgresql.hostname",
    "DB_HOST": "postgresql.hostname",
    "DB_PORT": "postgresql.port",
    "DB_NAME": "postgresql.database",
    "DB_USER": "postgresql.existingSecret",
    "PREPARED_STATEMENTS": "postgresql.preparedStatements",
    # https://github.com/mastodon/mastodon/blob/main/lib/mastodon/redis_configuration.rb
    "REDIS_URL": "redis.hostname",
    "REDIS_HOST": "redis.hostname",
    "REDIS_PORT": "redis.port",
    "REDIS_DB": "redis.hostname",
    "REDIS_NAMESPACE": "redis.hostname",
    "REDIS_USER": "redis.existingSecret",
    "REDIS_SENTINELS": "redis.hostname",
    "REDIS_SENTINEL_MASTER": "redis.hostname",
    # https://github.com/mastodon/mastodon/blob/main/config/initializers/paperclip.rb
    "S3_ENABLED": "mastodon.s3.bucket",
    "S3_BUCKET": "mastodon.s3.bucket",
    "S3_ENDPOINT": "mastodon.s3.endpoint",
    "S3_HOSTNAME": "mastodon.s3.hostname",
    "S3_PROTOCOL": "mastodon.s3.protocol",
    "S3_REGION": "mastodon.s3.region",
    "S3_ALIAS_HOST": "mastodon.s3.aliasHost",
    "S3_CLOUDFRONT_HOST": "mastodon.s3.aliasHost",
    "S3_PERMISSION": "mastodon.s3.permission",
    "AWS_ACCESS_KEY_ID": "mastodon.s3.existingSecret",
    # https://github.com/mastodon/mastodon/blob/main/config/email.yml
    "SMTP_SERVER": "mastodon.smtp.server",
    "SMTP_PORT": "mastodon.smtp.port",
    "SMTP_FROM_ADDRESS": "mastodon.smtp.fromAddress",
    "SMTP_AUTH_METHOD": "mastodon.smtp.authMethod",
    "SMTP_ENABLE_STARTTLS": "mastodon.smtp.enableStartTls",
    "SMTP_ENABLE_STARTTLS_AUTO": "mastodon.smtp.enableStartTls",
    "SMTP_OPENSSL_VERIFY_MODE": "mastodon.smtp.opensslVerifyMode",
    "SMTP_TLS": "mastodon.smtp.tls",
    "SMTP_SSL": "mastodon.smtp.tls",
}
