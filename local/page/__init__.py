"""The live page of the demo: served on this machine's loopback, drawn by the browser, nothing from anywhere else."""
