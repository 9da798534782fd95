"""Agreements: who may know what, why, how masked, until when."""
