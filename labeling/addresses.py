"""Which addresses of a network may be asked on a person's word: what they type must not reach the servers beside ours.

Pure but for the look-up of a name; knows no Django.
"""

import http.client
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from labeling.errors import Invalid

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address in another's clothes


def checked_address(url: str, *, field: str = "url") -> str:
    """The address if it can be one; raises `Invalid`."""
    try:
        parts = urlsplit(url)
        parts.netloc.encode("idna")
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        good = good and url.isascii() and not (parts.username or parts.password)
    except ValueError:
        good = False
    if not good:
        raise Invalid(
            f"{url!r:.100} is no address of a service; give http:// or https:// with a host, all of it in ASCII,"
            " and no password in it.",
            code="bad_address",
            details={"field": field},
        )
    return url


def connect(parts: SplitResult, *, timeout: float, private: bool, field: str = "url") -> http.client.HTTPConnection:
    """A connection to a host, looked up once, that is not private unless `private`; raises `Invalid`, `OSError`."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _public(parts.hostname or "", port, private=private, field=field)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", port, timeout=timeout)
    # To the very address that was looked at: the name might stand for another one a moment later.
    connection._create_connection = lambda _, *rest: socket.create_connection((address, port), *rest)  # type: ignore[attr-defined]
    return connection


def target(parts: SplitResult) -> str:
    """What a request asks its host for."""
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def _public(host: str, port: int, *, private: bool, field: str) -> str:
    """An address of the host; raises `Invalid` where one of them is private and that is not allowed."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if not private and not is_public(address):
            message = f"{host} is at {address}, a private address; the operator can allow those."
            raise Invalid(message, code="private_address", details={"field": field})
    return found[0]


def is_public(address: str) -> bool:
    """Whether it is one of the open internet, in whatever form it is written."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    if parsed in _NAT64:
        inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
    return (inner or parsed).is_global and not (inner or parsed).is_multicast
