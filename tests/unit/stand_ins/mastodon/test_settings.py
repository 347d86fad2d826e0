# Copyright: (c) 2026, fediverse.mastodon contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from mastodon_stand_in.errors import RefusalError
from mastodon_stand_in.settings import BucketSettings, DatabaseSettings, RedisSettings, Site


def test_the_web_domain_is_the_local_domain_unless_given(environment: dict[str, str]) -> None:
    site = Site.from_environment(environment)
    assert (site.local_domain, site.web_domain) == ("social.lab.test", "social.lab.test")
    assert site.streaming_base_url == "wss://social.lab.test"


def test_all_domains_are_hosts(environment: dict[str, str]) -> None:
    environment |= {"WEB_DOMAIN": "Web.lab.test", "ALTERNATE_DOMAINS": "a.test, b.test"}
    hosts = {"social.lab.test", "web.lab.test", "a.test", "b.test"}
    assert Site.from_environment(environment).hosts == hosts


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"LOCAL_DOMAIN": ""}, "^LOCAL_DOMAIN: it is missing or blank"),
        ({"LOCAL_DOMAIN": "https://social.lab.test"}, "is not a domain"),
        ({"LOCAL_DOMAIN": "social.lab.test:443"}, "is not a domain"),
        ({"WEB_DOMAIN": "a b"}, "^WEB_DOMAIN: 'a b' is not a domain"),
        ({"TRUSTED_PROXY_IP": "10.0.0.0/8,gateway"}, "^TRUSTED_PROXY_IP: 'gateway' is not an address or CIDR"),
        ({"ALLOWED_PRIVATE_ADDRESSES": "10.0.0.0/40"}, "^ALLOWED_PRIVATE_ADDRESSES: '10.0.0.0/40'"),
    ],
)
def test_a_wrong_site_is_refused(environment: dict[str, str], changed: dict[str, str], message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        Site.from_environment({**environment, **changed})


def test_proxies_may_be_separated_by_commas_or_blanks(environment: dict[str, str]) -> None:
    Site.from_environment({**environment, "TRUSTED_PROXY_IP": "10.200.64.0/18, 192.0.2.1 fd00::/8"})


@pytest.mark.parametrize("name", ["DB_HOST", "DB_NAME", "DB_USER", "DB_PASS"])
def test_the_database_is_needed(environment: dict[str, str], name: str) -> None:
    del environment[name]
    with pytest.raises(RefusalError, match=f"^{name}: it is missing or blank"):
        DatabaseSettings.from_environment(environment)


def test_a_port_is_a_number(environment: dict[str, str]) -> None:
    with pytest.raises(RefusalError, match=r"^DB_PORT: 'five' is not a whole number"):
        DatabaseSettings.from_environment({**environment, "DB_PORT": "five"})


@pytest.mark.parametrize(
    ("changed", "threads"), [({}, 5), ({"MAX_THREADS": "3"}, 3), ({"MAX_THREADS": "3", "DB_POOL": "9"}, 9)]
)
def test_rails_uses_tls_if_it_can(environment: dict[str, str], changed: dict[str, str], threads: int) -> None:
    settings = DatabaseSettings.from_environment({**environment, **changed})
    assert (settings.sslmode, settings.threads) == ("prefer", threads)


@pytest.mark.parametrize(
    ("given", "sslmode", "authority"),
    [
        (None, "disable", ""),
        ("disable", "disable", ""),
        ("no-verify", "require", ""),
        # Node knows no modes in between: whatever is left means full verification.
        ("prefer", "verify-full", "/ca.crt"),
        ("require", "verify-full", "/ca.crt"),
    ],
)
def test_streaming_reads_sslmode_as_node_does(
    environment: dict[str, str], given: str | None, sslmode: str, authority: str
) -> None:
    environment |= {"NODE_EXTRA_CA_CERTS": "/ca.crt", **({"DB_SSLMODE": given} if given else {})}
    settings = DatabaseSettings.for_streaming(environment)
    assert (settings.sslmode, settings.authority, settings.threads) == (sslmode, authority, 10)


def test_redis_prefixes_replace_the_base_as_a_whole(environment: dict[str, str]) -> None:
    base = RedisSettings.from_environment(environment)
    assert RedisSettings.from_environment(environment, "SIDEKIQ_") == base
    environment |= {"SIDEKIQ_REDIS_HOST": "jobs"}
    settings = RedisSettings.from_environment(environment, "SIDEKIQ_")
    assert (settings.host, settings.port, settings.password) == ("jobs", 6379, None)


@pytest.mark.parametrize(
    ("changed", "url"),
    [
        ({}, "http://s3:8333/media"),
        ({"S3_PROTOCOL": ""}, "https://s3:8333/media"),
        ({"S3_ALIAS_HOST": "files.lab.test", "S3_PROTOCOL": "https"}, "https://files.lab.test"),
    ],
)
def test_media_have_a_public_address(environment: dict[str, str], changed: dict[str, str], url: str) -> None:
    assert BucketSettings.from_environment({**environment, **changed}).public_url == url


@pytest.mark.parametrize(
    ("changed", "permission"),
    [({}, "public-read"), ({"S3_PERMISSION": "private"}, "private"), ({"S3_PERMISSION": ""}, None)],
)
def test_an_empty_permission_sends_no_acl(
    environment: dict[str, str], changed: dict[str, str], permission: str | None
) -> None:
    assert BucketSettings.from_environment({**environment, **changed}).permission == permission


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"S3_ENABLED": "false"}, "^S3_ENABLED: it is not true"),
        ({"S3_BUCKET": ""}, "^S3_BUCKET: it is missing"),
        ({"S3_ENDPOINT": "s3:8333"}, "^S3_ENDPOINT: s3:8333 has no scheme"),
        ({"S3_HOSTNAME": "http://s3:8333"}, "^S3_HOSTNAME: http://s3:8333 has a scheme"),
        ({"S3_HOSTNAME": ""}, "^S3_HOSTNAME: it is missing"),
        ({"S3_ALIAS_HOST": "https://files"}, "^S3_ALIAS_HOST: https://files has a scheme"),
        ({"S3_PROTOCOL": "ftp"}, "^S3_PROTOCOL: ftp is neither"),
        ({"AWS_ACCESS_KEY_ID": ""}, "^AWS_ACCESS_KEY_ID: it is missing"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "^AWS_SECRET_ACCESS_KEY: it is missing"),
    ],
)
def test_wrong_s3_settings_are_refused(environment: dict[str, str], changed: dict[str, str], message: str) -> None:
    with pytest.raises(RefusalError, match=message):
        BucketSettings.from_environment({**environment, **changed})


def test_settings_show_no_password(environment: dict[str, str]) -> None:
    kinds = (DatabaseSettings, RedisSettings, BucketSettings)
    assert "-password" not in "".join(repr(kind.from_environment(environment)) for kind in kinds)
