"""The outbox: an agency writes events into a table of its own PostgreSQL, a relay takes them to its inboxes.

An event is a row, inserted in the same database transaction as the change that it tells of: both are there, or neither.
`create_sql` says how the table is made, `Relay` empties it exactly once, `upkeep` looks after it.
"""
