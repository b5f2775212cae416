"""The embedded servers: what they know, how they start again, what they do about a crash."""

import json
import os
import signal
import stat
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from django.conf import settings
from django.db import connection

from config.data_dir import CannotStart, write_private
from config.embedded import SOCKET_PATH_LIMIT, Services
from config.processes import LOG_LIMIT, limit_logs


def count_rows(address: str) -> int:
    with psycopg.connect(address) as database:
        return database.execute("SELECT count(*) FROM kept").fetchone()[0]


def test_case_folding_knows_all_of_unicode(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('straße éλж'), lower('ÀΛЖ'), 'Éva' ILIKE 'éVA'")
        assert cursor.fetchone() == ("STRAßE ÉΛЖ", "àλж", True)


def test_durability_is_not_traded_for_speed(data_dir, own_servers):
    with Services(data_dir) as services, psycopg.connect(services.addresses["DATABASE_URL"]) as database:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert database.execute(f"SHOW {name}").fetchone() == ("on",), name


def test_only_we_may_read_the_addresses_and_reach_the_servers(data_dir, own_servers):
    with Services(data_dir, durable=False) as services:
        file = data_dir / "services.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert json.loads(file.read_text()) == services.addresses
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700
        port = redis.Redis.from_url(services.addresses["REDIS_URL"]).connection_pool.connection_kwargs["port"]
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
        assert listening_addresses(services) == {"127.0.0.1"}
    assert not file.exists()


def listening_addresses(services: Services) -> set[str]:
    found = [
        connection
        for _, process in services.running
        for connection in psutil.Process(process.pid).net_connections("inet")
    ]
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def test_rows_and_messages_survive_a_kill_of_both_servers(data_dir, own_servers):
    services = Services(data_dir, durable=False)
    addresses = services.start()
    with psycopg.connect(addresses["DATABASE_URL"]) as database:
        database.execute("CREATE TABLE kept AS SELECT 1 AS one")
    redis.Redis.from_url(addresses["REDIS_URL"]).lpush("default", "message")
    time.sleep(1.2)  # the append-only file is flushed once a second
    for _, process in services.running:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert sorted(services.restart_dead()) == ["postgres", "redis"]
    try:
        wait_until_up(addresses)
        assert count_rows(addresses["DATABASE_URL"]) == 1
        assert redis.Redis.from_url(addresses["REDIS_URL"]).lrange("default", 0, -1) == [b"message"]
    finally:
        services.stop()


def wait_until_up(addresses: dict[str, str]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(addresses["DATABASE_URL"]).close()
            redis.Redis.from_url(addresses["REDIS_URL"]).ping()
            return
        except (psycopg.OperationalError, redis.RedisError):
            assert time.monotonic() < end
            time.sleep(0.05)


def test_a_lock_file_with_the_number_of_a_living_process_does_not_keep_the_database_from_starting(
    data_dir, own_servers
):
    with Services(data_dir, durable=False) as services:
        running = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        neighbor = services.running[1][1].pid
    with Services(data_dir / "other", durable=False) as other:
        neighbor = other.running[1][1].pid  # lives on, and belongs to the servers' own user
        stale = data_dir / "postgres" / "postmaster.pid"
        stale.write_text("\n".join([str(neighbor), *running[1:]]) + "\n")
        with Services(data_dir, durable=False) as services:
            psycopg.connect(services.addresses["DATABASE_URL"]).close()


def test_a_torn_message_file_does_not_keep_redis_from_starting(data_dir, own_servers):
    with Services(data_dir, durable=False):
        pass
    torn = data_dir / "redis" / "appendonly.aof"
    torn.write_bytes(b"*3\r\n$3\r\nSETgarbage\r\n")
    with Services(data_dir, durable=False) as services:
        assert redis.Redis.from_url(services.addresses["REDIS_URL"]).ping()
    assert torn.with_name("appendonly.broken").exists()


def test_a_deep_data_directory_has_its_socket_elsewhere(data_dir, own_servers):
    deep = data_dir / ("d" * 100) / "data"
    with Services(deep, durable=False) as services:
        folder = Path(services.addresses["DATABASE_URL"].split("host=")[1])
        assert len(os.fsencode(folder)) < SOCKET_PATH_LIMIT < len(os.fsencode(deep))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        psycopg.connect(services.addresses["DATABASE_URL"]).close()
    assert not folder.exists()


def test_a_data_directory_with_blanks_and_other_letters(data_dir, own_servers):
    with Services(data_dir / "Gold & Söhne 数据 100%", durable=False) as services:
        psycopg.connect(services.addresses["DATABASE_URL"]).close()
        assert redis.Redis.from_url(services.addresses["REDIS_URL"]).ping()


def test_a_second_instance_on_the_same_data_is_refused_and_harms_nothing(data_dir, own_servers):
    with Services(data_dir, durable=False) as first:
        with pytest.raises(CannotStart, match=f"already runs on .* \\(process {os.getpid()}\\)"):
            Services(data_dir, durable=False).start()
        assert (data_dir / "services.json").exists()
        psycopg.connect(first.addresses["DATABASE_URL"]).close()


def test_given_addresses_are_used_and_nothing_is_started(data_dir):
    with Services(data_dir, durable=False) as services:
        assert services.running == []
        assert services.addresses == {}


def test_data_of_another_version_of_postgresql_is_refused_with_advice(data_dir, own_servers):
    with Services(data_dir, durable=False):
        pass
    (data_dir / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match=r"made by PostgreSQL 9, but this is .* set DATABASE_URL"):
        Services(data_dir, durable=False).start()


def test_what_the_server_says_is_shown_when_it_does_not_start(data_dir, own_servers):
    with Services(data_dir, durable=False):
        pass
    (data_dir / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(CannotStart, match="no_such_setting"):
        Services(data_dir, durable=False).start()


def test_logs_are_cut_when_they_grow(tmp_path):
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "web.log"
    with log.open("ab") as writer:
        writer.write(b"x" * (LOG_LIMIT + 1))
        writer.flush()
        limit_logs(tmp_path)
        writer.write(b"goes on")
    assert log.read_bytes() == b"goes on"
    assert (tmp_path / "logs" / "web.log.1").stat().st_size == LOG_LIMIT + 1


def test_a_private_file_is_private_from_its_first_moment(tmp_path):
    write_private(tmp_path / "secret", "one")
    write_private(tmp_path / "secret", "two")
    assert (tmp_path / "secret").read_text() == "two"
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_the_settings_point_at_the_servers_of_this_run():
    assert str(settings.DATA_DIR) == os.environ["DATA_DIR"]
    assert os.environ["REDIS_URL"] == settings.REDIS_URL
