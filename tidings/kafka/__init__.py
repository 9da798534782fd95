"""The only room that imports the Kafka client."""
