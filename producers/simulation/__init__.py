"""A small country, simulated: people, what happens to them, and the events that registers make of it."""
