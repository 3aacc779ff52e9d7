"""Entry script of application.zip: the managed service and the laptop run start this file as ``main.py``."""

from flink_jobs.main import run

if __name__ == "__main__":
    run()
