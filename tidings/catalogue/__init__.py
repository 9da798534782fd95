"""Event types: schemas, owners, checks, retention."""
