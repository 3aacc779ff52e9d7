"""Custom resource: the addresses of a cluster's brokers, which no template can look up."""
