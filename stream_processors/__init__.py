"""What happens between an inbox and a feed: `validate`, `mask`, `route`, composed in `exchange`.

The three stages are pure functions of (batch, policy, clock reading) and import no client library; `wiring` joins the
exchange to a broker.
"""
