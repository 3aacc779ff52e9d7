"""Removes a person from the index: every document of a user."""
