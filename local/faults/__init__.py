"""Things that go wrong on purpose, while one watches: each is noticed by the pipeline, and recovered from."""
