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

-- One row an event. Writers give event_type and event; all else is the database's. A row never changes: what becomes of
-- it stands beside it, in narrow tables.
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
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  replaces   bigint
);

-- The rows that wait, and how long each event is. The trigger adds them in the writer's transaction, the relay takes
-- them away once they are in the inbox, or refused.
CREATE TABLE IF NOT EXISTS tidings.outbox_waiting (
  row_id bigint NOT NULL,
  bytes  integer NOT NULL,
  slot   smallint NOT NULL,
  PRIMARY KEY (slot, row_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- What was sent: the rows of each batch, which is one Kafka transaction with batch_id as its token.
CREATE TABLE IF NOT EXISTS tidings.outbox_batches (
  batch_id  uuid PRIMARY KEY,
  sent_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_row  bigint NOT NULL,
  row_count integer NOT NULL,
  slot      smallint NOT NULL,
  row_ids   bigint[] NOT NULL
);
CREATE INDEX IF NOT EXISTS outbox_batches_sent ON tidings.outbox_batches (sent_at);
CREATE INDEX IF NOT EXISTS outbox_batches_rows ON tidings.outbox_batches (slot, last_row);

-- What was found in the few rows in which anything was: why a row is refused, or what is doubted in one that is sent.
CREATE TABLE IF NOT EXISTS tidings.outbox_findings (
  row_id      bigint PRIMARY KEY,
  refused     boolean NOT NULL,
  findings    text[] NOT NULL,
  found_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  replaced_at timestamptz
);
CREATE INDEX IF NOT EXISTS outbox_findings_refused ON tidings.outbox_findings (row_id)
  WHERE refused AND replaced_at IS NULL;
CREATE INDEX IF NOT EXISTS outbox_findings_replaced ON tidings.outbox_findings (replaced_at)
  WHERE replaced_at IS NOT NULL;

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

-- How every row stands: its state, since when, and what was found. Nothing of its event but the id.
CREATE OR REPLACE VIEW tidings.outbox_rows AS
  SELECT o.row_id, o.event_type, o.event_id, o.slot,
    CASE WHEN f.replaced_at IS NOT NULL THEN 'replaced' WHEN f.refused THEN 'refused'
         WHEN w.row_id IS NOT NULL THEN 'waiting' ELSE 'sent' END AS state,
    o.created_at,
    CASE WHEN f.refused THEN coalesce(f.replaced_at, f.found_at)
         WHEN w.row_id IS NULL THEN (
           SELECT b.sent_at FROM tidings.outbox_batches b
           WHERE b.slot = o.slot AND b.last_row >= o.row_id AND o.row_id = ANY (b.row_ids)
           ORDER BY b.last_row LIMIT 1
         ) END AS done_at,
    CASE WHEN f.refused THEN f.findings ELSE '{}' END AS reasons,
    CASE WHEN f.refused THEN '{}' ELSE coalesce(f.findings, '{}') END AS flags,
    o.replaces
  FROM tidings.outbox o
  LEFT JOIN tidings.outbox_waiting w ON w.slot = o.slot AND w.row_id = o.row_id
  LEFT JOIN tidings.outbox_findings f ON f.row_id = o.row_id;

-- What was inserted waits{wake_words}.
CREATE OR REPLACE FUNCTION tidings.outbox_wait() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO tidings.outbox_waiting (slot, row_id, bytes)
    SELECT a.slot, a.row_id, octet_length(a.event::text) FROM added a;
{wake}  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER outbox_wait AFTER INSERT ON tidings.outbox REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION tidings.outbox_wait();

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
    SELECT o.row_id, o.event_type, o.event, o.event_id
    FROM tidings.outbox_findings f JOIN tidings.outbox o ON o.row_id = f.row_id
    WHERE f.row_id = ANY (rows) AND f.refused AND f.replaced_at IS NULL ORDER BY f.row_id FOR UPDATE OF f
  LOOP
    content := coalesce(mended, old.event)::jsonb;
    IF jsonb_typeof(content) = 'object' THEN
      IF coalesce(content ->> 'event_id', '') IN ('', old.event ->> 'event_id') THEN
        content := jsonb_set(content, '{event_id}', to_jsonb(gen_random_uuid()));
      END IF;
    END IF;
    UPDATE tidings.outbox_findings f SET replaced_at = clock_timestamp() WHERE f.row_id = old.row_id;
    INSERT INTO tidings.outbox AS o (event_type, event, replaces)
      VALUES (old.event_type, content::json, old.row_id) RETURNING o.row_id INTO new_row;
    refused_row := old.row_id;
    RETURN NEXT;
  END LOOP;
END $$;

-- Takes away rows that were sent or replaced longer ago than `older_than`: whole batches until `at_most` rows are
-- reached, and as many that were replaced. Says how many, and whether there may be more.
CREATE OR REPLACE FUNCTION tidings.outbox_purge(
  older_than interval, at_most integer, OUT purged bigint, OUT more boolean
)
  LANGUAGE sql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  WITH sent AS (
    SELECT batch_id, sum(row_count) OVER (ORDER BY sent_at, batch_id) - row_count AS rows_before FROM (
      SELECT batch_id, sent_at, row_count FROM tidings.outbox_batches
      WHERE sent_at < clock_timestamp() - older_than ORDER BY sent_at, batch_id LIMIT at_most
    ) b
  ), batches AS (
    DELETE FROM tidings.outbox_batches b USING sent s
    WHERE b.batch_id = s.batch_id AND s.rows_before < at_most RETURNING b.row_ids, b.row_count
  ), replaced AS (
    SELECT f.row_id FROM tidings.outbox_findings f
    WHERE f.replaced_at < clock_timestamp() - older_than ORDER BY f.replaced_at LIMIT at_most
  ), due AS (
    SELECT unnest(row_ids) AS row_id FROM batches UNION ALL SELECT row_id FROM replaced
  ), findings AS (
    DELETE FROM tidings.outbox_findings WHERE row_id = ANY (ARRAY (SELECT row_id FROM due))
  ), gone AS (
    DELETE FROM tidings.outbox WHERE row_id = ANY (ARRAY (SELECT row_id FROM due)) RETURNING row_id
  )
  SELECT (SELECT count(*) FROM gone),
    coalesce((SELECT sum(row_count) FROM batches), 0) >= at_most OR (SELECT count(*) FROM replaced) >= at_most
$$;

REVOKE ALL ON FUNCTION tidings.outbox_wait() FROM PUBLIC;
REVOKE ALL ON FUNCTION tidings.outbox_retry(bigint[], json) FROM PUBLIC;
REVOKE ALL ON FUNCTION tidings.outbox_purge(interval, integer) FROM PUBLIC;

GRANT USAGE ON SCHEMA tidings TO tidings_outbox_writer, tidings_outbox_relay, tidings_outbox_operator;
-- A writer adds rows and sees none of them; `ON CONFLICT (event_id) DO NOTHING` reads the one column.
GRANT INSERT (event_type, event), SELECT (event_id) ON tidings.outbox TO tidings_outbox_writer;
-- The relay reads rows and says what became of them; it cannot change an event, nor what it said was sent.
GRANT SELECT ON tidings.outbox TO tidings_outbox_relay;
GRANT SELECT, DELETE ON tidings.outbox_waiting TO tidings_outbox_relay;
GRANT SELECT, INSERT ON tidings.outbox_batches TO tidings_outbox_relay;
GRANT SELECT, INSERT, UPDATE (refused, findings, found_at) ON tidings.outbox_findings TO tidings_outbox_relay;
GRANT SELECT, UPDATE (owner, batch_id, batch_rows, turned_at) ON tidings.outbox_slots TO tidings_outbox_relay;
GRANT USAGE ON SEQUENCE tidings.outbox_relays TO tidings_outbox_relay;
-- An operator sees no event: only what became of it; retries and purges by the two functions.
GRANT SELECT (row_id, event_type, event_id, slot, created_at, replaces) ON tidings.outbox TO tidings_outbox_operator;
GRANT SELECT ON tidings.outbox_rows, tidings.outbox_waiting, tidings.outbox_batches, tidings.outbox_findings,
  tidings.outbox_slots TO tidings_outbox_operator;
GRANT EXECUTE ON FUNCTION tidings.outbox_retry(bigint[], json) TO tidings_outbox_operator;
GRANT EXECUTE ON FUNCTION tidings.outbox_purge(interval, integer) TO tidings_outbox_operator;

COMMIT;
