"""The services of the laptop run, each a real server on 127.0.0.1 under one supervisor."""
