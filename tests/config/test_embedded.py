"""The embedded servers: what they know, how they start again, what they do about a crash."""

import psycopg
import redis
from django.conf import settings
from django.db import connection


def test_tests_run_against_the_embedded_servers(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT upper('straße éλж')")
        assert cursor.fetchone() == ("STRAßE ÉΛЖ",)
    assert redis.Redis.from_url(settings.REDIS_URL).ping()
    assert psycopg.connect(settings.DATABASE_URL).execute("SHOW server_encoding").fetchone() == ("UTF8",)
