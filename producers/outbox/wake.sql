-- Wakes the relays when a transaction that wrote rows commits. It says nothing of them.
CREATE OR REPLACE FUNCTION tidings.outbox_wake() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('tidings_outbox', '');
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER outbox_wake AFTER INSERT ON tidings.outbox
  FOR EACH STATEMENT EXECUTE FUNCTION tidings.outbox_wake();
