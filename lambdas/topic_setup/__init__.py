"""Custom resource: the topic of events, made and kept as the settings have it, over Kafka's own protocol."""
