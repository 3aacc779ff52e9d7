"""Recomputes every verdict and result in plain Python, from the design and not from the jobs."""
