"""What is measured, one part a file: `run(settings, results)`."""
