"""Seeded traffic with planted truth, and its delivery to a stream."""
