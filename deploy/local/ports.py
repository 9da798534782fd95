"""Chooses loopback ports: the usual one where it is free, else whichever the system has."""

from __future__ import annotations

import socket
from collections.abc import Iterable

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a listener could take `port` on loopback now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(wanted: Iterable[int | None]) -> list[int]:
    """A distinct free port for each one wanted: itself where it is free, another where it is taken or None."""
    chosen: list[int] = []
    held: list[socket.socket] = []
    try:
        for port in wanted:
            if port is not None and port not in chosen and is_free(port):
                chosen.append(port)
                continue
            other = socket.socket()
            held.append(other)  # kept open until all are chosen, so that no number comes twice
            other.bind((HOST, 0))
            chosen.append(int(other.getsockname()[1]))
    finally:
        for each in held:
            each.close()
    return chosen
