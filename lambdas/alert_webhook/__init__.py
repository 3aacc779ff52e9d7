"""Posts each alert to a webhook: as JSON, or as a message for Slack or Teams."""
