"""Source that reads a value which holds no other, in place where it is short: `b` is the body, `p` the place, `u` from
where no text has been seen to be UTF-8, `w` what is uncommon."""

from __future__ import annotations

from tidings.projection.generate_code import Code, Unsupported
from tidings.projection.generate_notes import Types

_TWO = "0 < b[p + 1] < 128"
SIX = "b[p:p + 6].translate(high) == six"
"""That a number ends with its sixth byte, as the times of our age do."""


def write_simple(code: Code, types: Types, row: int) -> None:
    """Add the reading of a value that holds no other."""
    kind = types[row]
    match kind.kind:
        case "null":
            code.line("pass")
        case "boolean":
            code.line("if b[p] > 1:")
            code.line("    raise Malformed('a truth value is neither 0 nor 1')")
            code.line("p += 1")
        case "int":
            _number(code, 32, _TWO, 2)
        case "long":
            _number(code, 64, SIX, 6)
        case "string":
            write_string(code)
        case "bytes":
            write_seen(code)
            code.line("p = u = opaque(b, p)")
        case "enum" if len(kind.names) <= 64:
            code.line("n = b[p]")
            code.line(f"if n & 1 or n > {2 * len(kind.names) - 2}:")
            code.line("    raise Malformed('an index is out of range')")
            code.line("p += 1")
        case "enum":
            write_seen(code)
            code.line(f"p = u = symbol(b, p, {len(kind.names)})")
        case "float":
            # A signalling not-a-number does not survive being decoded: the reference says what is made of it.
            code.line("if b[p + 3] & 127 == 127 and b[p + 2] & 192 == 128:")
            code.line("    w.append(p)")
            _opaque(code, 4)
        case "double":
            _opaque(code, 8)
        case "fixed":
            _opaque(code, kind.size)
        case _:
            raise Unsupported(f"the Avro type {kind.kind}")


def write_seen(code: Code) -> None:
    """All texts up to here are UTF-8."""
    code.line("if u < p and not b[u:p].isascii():")
    code.line("    b[u:p].decode()")


def _number(code: Code, bits: int, common: str, size: int) -> None:
    with code.block("if b[p] < 128:"):
        code.line("p += 1")
    with code.block("else:"):
        write_seen(code)
        code.line(f"p = u = p + {size} if {common} else number(b, p, {bits})")


def write_string(code: Code) -> None:
    """A text; that it is UTF-8 is seen later."""
    code.line("n = step[b[p]]")
    with code.block("if n:"):
        code.line("p += n")
    with code.block("else:"):
        code.line("p = u = text(b, p, u)")


def _opaque(code: Code, size: int) -> None:
    write_seen(code)
    code.line(f"p = u = p + {size}")
