"""The host on Faust: the only room that imports it, and the Kafka client below it."""
