"""The nouns of Tidings: event types, agreements, policy, topics, errors, clock, metrics."""
