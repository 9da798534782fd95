"""What a publishing agency uses."""
