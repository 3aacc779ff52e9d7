"""What the jobs cost, beside what else one could do: `python -m benchmarks`. See docs/benchmarks/README.md."""
