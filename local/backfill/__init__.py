"""``make backfill`` on a laptop: an archive through the application once more."""
