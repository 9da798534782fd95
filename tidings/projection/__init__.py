"""What one agreement makes of one event."""
