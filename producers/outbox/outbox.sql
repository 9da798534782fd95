-- The outbox of `tidings outbox`, form 1, with {slots} slots. PostgreSQL 14 or newer.
-- Run it once, in the agency's own database, as a role that may create schemas and roles. A second run changes nothing.
BEGIN;

-- Roles of one duty each, without login: grant them to the logins that there are.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tidings_outbox_writer', 'tidings_outbox_relay', 'tidings_outbox_operator'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', name);
    END IF;
  END LOOP;
END $$;

CREATE SCHEMA IF NOT EXISTS tidings;

-- One row an event. Writers give event_type and event; all else is the database's and the relay's.
CREATE TABLE IF NOT EXISTS tidings.outbox (
  row_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_type text NOT NULL,
  event      json NOT NULL,
  -- At most one row an event_id. Null where the event has none that is a uuid: the relay refuses such a row.
  event_id   uuid GENERATED ALWAYS AS (
    CASE WHEN event ->> 'event_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
         THEN (event ->> 'event_id')::uuid END
  ) STORED UNIQUE,
  -- All rows of one subject are in one slot, and a slot has one relay at a time: so their order is kept.
  slot       smallint NOT NULL GENERATED ALWAYS AS (
    abs(hashtextextended(
      coalesce(event -> 'subject' ->> 'scheme', '') || ':' || coalesce(event -> 'subject' ->> 'value', ''), 0
    ) % {slots})
  ) STORED,
  state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused', 'replaced')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  done_at    timestamptz,
  reasons    text[] NOT NULL DEFAULT '{}',
  flags      text[] NOT NULL DEFAULT '{}',
  replaces   bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

CREATE INDEX IF NOT EXISTS outbox_waiting ON tidings.outbox (slot, row_id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS outbox_refused ON tidings.outbox (row_id) WHERE state = 'refused';

-- What is one relay's at a time: a share of the subjects, the name under which it writes to the exchange, and the
-- rows of the batch that it is writing.
CREATE TABLE IF NOT EXISTS tidings.outbox_slots (
  slot       smallint PRIMARY KEY,
  writer     text NOT NULL UNIQUE DEFAULT 'outbox-' || gen_random_uuid(),
  owner      integer,
  batch_id   uuid,
  batch_rows bigint[],
  turned_at  timestamptz
) WITH (fillfactor = 50);
INSERT INTO tidings.outbox_slots (slot) SELECT generate_series(0, {last_slot}) ON CONFLICT DO NOTHING;

CREATE SEQUENCE IF NOT EXISTS tidings.outbox_relays AS integer CYCLE;

CREATE OR REPLACE FUNCTION tidings.outbox_form() RETURNS integer
  LANGUAGE sql IMMUTABLE AS 'SELECT 1';

{wake}
-- Refused rows go in again, each as a new row behind all others, under a new event_id. `mended` is the event to take
-- in place of the one row's own; where its event_id is another than the refused one's, it stays.
CREATE OR REPLACE FUNCTION tidings.outbox_retry(rows bigint[], mended json DEFAULT NULL)
  RETURNS TABLE (refused_row bigint, new_row bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old record;
  content jsonb;
BEGIN
  IF mended IS NOT NULL AND cardinality(rows) <> 1 THEN
    RAISE EXCEPTION 'a mended event is for one row';
  END IF;
  FOR old IN
    SELECT o.row_id, o.event_type, o.event, o.event_id FROM tidings.outbox o
    WHERE o.row_id = ANY (rows) AND o.state = 'refused' ORDER BY o.row_id FOR UPDATE
  LOOP
    content := coalesce(mended, old.event)::jsonb;
    IF jsonb_typeof(content) = 'object' THEN
      IF coalesce(content ->> 'event_id', '') IN ('', old.event ->> 'event_id') THEN
        content := jsonb_set(content, '{event_id}', to_jsonb(gen_random_uuid()));
      END IF;
    END IF;
    UPDATE tidings.outbox o SET state = 'replaced', done_at = clock_timestamp() WHERE o.row_id = old.row_id;
    INSERT INTO tidings.outbox AS o (event_type, event, replaces)
      VALUES (old.event_type, content::json, old.row_id) RETURNING o.row_id INTO new_row;
    refused_row := old.row_id;
    RETURN NEXT;
  END LOOP;
END $$;

-- Takes away at most `at_most` rows after row `after` that were sent or replaced longer ago than `older_than`. Returns
-- how many, and the last one.
CREATE OR REPLACE FUNCTION tidings.outbox_purge(
  older_than interval, after bigint, at_most integer, OUT purged bigint, OUT last bigint
)
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH old AS (
    SELECT o.row_id FROM tidings.outbox o
    WHERE o.row_id > after AND o.state IN ('sent', 'replaced') AND o.done_at < clock_timestamp() - older_than
    ORDER BY o.row_id LIMIT at_most
  ), gone AS (
    DELETE FROM tidings.outbox o USING old WHERE o.row_id = old.row_id RETURNING o.row_id
  )
  SELECT count(*), max(row_id) FROM gone
$$;

REVOKE ALL ON FUNCTION tidings.outbox_retry(bigint[], json) FROM PUBLIC;
REVOKE ALL ON FUNCTION tidings.outbox_purge(interval, bigint, integer) FROM PUBLIC;

GRANT USAGE ON SCHEMA tidings TO tidings_outbox_writer, tidings_outbox_relay, tidings_outbox_operator;
-- A writer adds rows and sees none of them; `ON CONFLICT (event_id) DO NOTHING` reads the one column.
GRANT INSERT (event_type, event), SELECT (event_id) ON tidings.outbox TO tidings_outbox_writer;
-- The relay reads rows and says what became of them; it cannot change an event.
GRANT SELECT, UPDATE (state, done_at, reasons, flags) ON tidings.outbox TO tidings_outbox_relay;
GRANT SELECT, UPDATE (owner, batch_id, batch_rows, turned_at) ON tidings.outbox_slots TO tidings_outbox_relay;
GRANT USAGE ON SEQUENCE tidings.outbox_relays TO tidings_outbox_relay;
-- An operator sees no event: only what became of it; retries and purges by the two functions.
GRANT SELECT (row_id, event_type, event_id, slot, state, created_at, done_at, reasons, flags, replaces)
  ON tidings.outbox TO tidings_outbox_operator;
GRANT SELECT ON tidings.outbox_slots TO tidings_outbox_operator;
GRANT EXECUTE ON FUNCTION tidings.outbox_retry(bigint[], json) TO tidings_outbox_operator;
GRANT EXECUTE ON FUNCTION tidings.outbox_purge(interval, bigint, integer) TO tidings_outbox_operator;

COMMIT;
