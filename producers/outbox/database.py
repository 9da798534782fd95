"""The relay's connection to an agency's database, and PostgreSQL's errors made ours: a class and a code, never a text
of the server's, which may quote a row.

Source of the codes: PostgreSQL 15, appendix A, "PostgreSQL Error Codes".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tidings.errors import BadUsage, Fatal, Retriable, TidingsError

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

FORM = 1
OLDEST_SERVER = 140_000
CONNECT_SECONDS = 10
CHANNEL = "tidings_outbox"

# Few rows of large tables are wanted, by index, whatever the statistics were before the tables grew; a plan is made for
# the values that it is for. A hung relay loses
# its session, and with it its slots: what it holds then is another's to settle.
_SESSION = """
SET jit = off;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET plan_cache_mode = force_custom_plan;
SET statement_timeout = '60s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '60s';
SET idle_session_timeout = '180s';
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
"""

# Classes of SQLSTATE after which the same work may succeed: connection, transaction rollback, resources, operator
# intervention (a restart), system.
_TRANSIENT = ("08", "25P", "40", "53", "55P03", "57", "58")


def connect(database: str) -> Connection:
    """A connection in autocommit to the outbox's database.

    Args: `database` is a libpq connection string or URI; what it does not say comes from the environment (PGHOST,
    PGSERVICE, …), the password from PGPASSFILE or the like. Raises BadUsage where it is none or holds a password,
    Retriable where the database does not take the connection, Fatal where its outbox is not there or of another form.
    """
    try:
        said = conninfo_to_dict(database)
    except psycopg.Error:
        said = {"password": ""}
    if "password" in said:
        message = "give a libpq connection string, and the password in PGPASSFILE, never here"
        raise BadUsage("--database", "connection", message)
    with said_by_class(f"connecting to the outbox's database {_place(said)}"):
        connection = psycopg.connect(
            database,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="tidings outbox",
            client_encoding="utf8",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            prepare_threshold=0,
        )
    try:
        _hold_to_form(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _place(said: Mapping[str, Any]) -> str:
    """Whether anything says where the database is, for whoever forgot to."""
    if "host" in said or "service" in said or {"PGHOST", "PGHOSTADDR", "PGSERVICE"} & os.environ.keys():
        return "(as --database, PGHOST and their like say)"
    return "(no host is said: name it with --database, PGHOST or PGSERVICE)"


def _hold_to_form(connection: Connection) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        raise Fatal("the outbox needs PostgreSQL 14 or newer")
    with said_by_class("looking for the outbox"):
        connection.execute(_SESSION, prepare=False)  # several statements
        found = connection.execute("SELECT to_regprocedure('tidings.outbox_form()')").fetchone()
        if found is None or found[0] is None:
            raise Fatal("the database has no outbox: `tidings outbox sql` says how to create one")
        [form] = connection.execute("SELECT tidings.outbox_form()").fetchone() or (0,)
    if form != FORM:
        raise Fatal(f"the outbox has form {form}, and this relay knows form {FORM}")


@contextmanager
def said_by_class(doing: str) -> Iterator[None]:
    """What the block raises of psycopg's becomes Retriable or Fatal, named by `doing` and the error's class."""
    try:
        yield
    except psycopg.Error as error:
        failure = _ours(error, doing)
    else:
        return
    raise failure from None


def _ours(error: psycopg.Error, doing: str) -> TidingsError:
    state = error.sqlstate
    text = f"{doing}: {type(error).__name__}" + (f" ({state})" if state else "")
    lost = state is None and isinstance(error, psycopg.OperationalError)
    return Retriable(text) if lost or (state or "").startswith(_TRANSIENT) else Fatal(text)
