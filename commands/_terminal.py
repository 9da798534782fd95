"""What may reach a terminal: nothing that it would obey, and of a defect never the text, which may hold a value."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import orjson
import structlog

from tidings.errors import Quarantine, TidingsError


def printable(text: str, keep: str = "") -> str:
    """`text` with each character that a terminal may obey, or that nobody would see, written as `\\x1b`: control and
    format characters, line ends, unpaired surrogates. Those of `keep` stay.

    File names, agreements and the values of views are other people's text: a name with an escape sequence in it could
    rewrite what an operator has read already.
    """
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )


def json_line(value: Any) -> str:
    """`value` as JSON on one line; bytes in hex. A program reads it back as it was, and a terminal obeys nothing of it:
    orjson escapes the control characters of ASCII alone, so the others are escaped here. Source: RFC 8259, section 7.
    """
    text = orjson.dumps(value, default=bytes.hex).decode()
    return "".join(char if char.isprintable() else _json_escaped(char) for char in text)


def _json_escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def defect_report(defect: BaseException) -> str:
    """A defect's type and where it went through our code and others', innermost last, without the exception's own text:
    a library's error may quote the value that it did not like."""
    lines = [f"A defect of tidings: {type(defect).__name__}", *_places(defect.__traceback__)]
    before = defect.__cause__ or (None if defect.__suppress_context__ else defect.__context__)
    if before is not None:
        lines += [f"after {type(before).__name__}", *_places(before.__traceback__)]
    return "\n".join(lines) + "\n"


@contextmanager
def told_without_values() -> Iterator[None]:
    """What a command runs in. An error of ours is one clear message with what to do, and its own exit code; any other
    is a defect, told by `defect_report` with the code of Quarantine; so are those of threads and finalisers. Our log
    goes to standard error."""
    # What a command prints may be another program's input: our own log goes beside it.
    structlog.configure(logger_factory=lambda *_names: structlog.PrintLogger(sys.stderr))
    before = threading.excepthook, sys.unraisablehook
    threading.excepthook = _of_thread
    sys.unraisablehook = _unraisable
    try:
        yield
    except TidingsError as failure:
        sys.stderr.write(f"{printable(str(failure), keep=chr(10))}\nWhat to do: {failure.action}.\n")
        sys.exit(failure.exit_code)
    except Exception as defect:  # noqa: BLE001 -- the interpreter would print the exception's own text
        sys.stderr.write(f"{defect_report(defect)}What to do: tell the developers, with these lines.\n")
        sys.exit(Quarantine.exit_code)
    finally:
        threading.excepthook, sys.unraisablehook = before


def _places(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        yield f"  at {traceback.tb_frame.f_globals.get('__name__', 'unknown')}:{traceback.tb_lineno}"
        traceback = traceback.tb_next


def _of_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        sys.stderr.write(defect_report(args.exc_value))


def _unraisable(args: Any) -> None:  # the type's name is not in the typing of 3.11
    if args.exc_value is not None:
        sys.stderr.write(defect_report(args.exc_value))
