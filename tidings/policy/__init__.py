"""All agreements in force, compiled, versioned and hashed."""
