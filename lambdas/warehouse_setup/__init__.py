"""Custom resource: what the warehouse holds, written on every deployment through the Data API."""
