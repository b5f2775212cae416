"""A file to write to, whose bytes are taken away as they come: archives and tables become streams by it."""

from typing import Any


class Sink:
    """A file to write to, whose bytes are taken away as they come."""

    closed = False

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._at = 0

    def write(self, data: Any) -> int:
        """Keep the bytes until they are drained."""
        self._chunks.append(bytes(data))
        self._at += len(self._chunks[-1])
        return len(self._chunks[-1])

    def tell(self) -> int:
        """How many bytes have been written."""
        return self._at

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing to close."""

    def drain(self) -> bytes:
        """The bytes since the last call."""
        chunks, self._chunks = self._chunks, []
        return b"".join(chunks)
