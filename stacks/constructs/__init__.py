"""Constructs that two stacks use, or that would blur one's reason."""
