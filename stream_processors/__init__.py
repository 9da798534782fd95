"""The stages of the exchange, each a pure function, and their composition."""
