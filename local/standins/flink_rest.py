"""What a Flink cluster tells and takes over REST."""

from __future__ import annotations

from local.standins.rest import RestClient
from local.waiting import wait_until

ENDED_STATES = frozenset({"CANCELED", "FINISHED", "FAILED"})
_CANCEL_SECONDS = 60.0


class FlinkRest:
    """The REST interface of one JobManager.

    All calls but `slots` raise `RestError` for an unknown job and OSError when the server cannot be reached.

    Args:
        port: where the JobManager listens on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.client = RestClient(port)

    def slots(self) -> int:
        """Return how many task slots are registered, 0 as long as nobody answers."""
        overview = self.client.probe("/overview")
        return 0 if overview is None else int(overview["slots-total"])

    def task_managers(self) -> set[str]:
        """Return the ids of the registered TaskManagers."""
        return {str(each["id"]) for each in self.client.call("GET", "/taskmanagers")["taskmanagers"]}

    def job_state(self, job_id: str) -> str:
        """Return the state of a job: CREATED, RUNNING, RESTARTING, FAILING, FAILED, CANCELED, FINISHED ..."""
        return str(self.client.call("GET", f"/jobs/{job_id}")["state"])

    def running_tasks(self, job_id: str) -> tuple[int, int]:
        """Return how many of a job's subtasks run, and how many it has."""
        vertices = self.client.call("GET", f"/jobs/{job_id}")["vertices"]
        return sum(vertex["tasks"]["RUNNING"] for vertex in vertices), sum(vertex["parallelism"] for vertex in vertices)

    def job_exceptions(self, job_id: str) -> list[str]:
        """Return the stack traces of a job's failures, the newest first; empty when there were none."""
        history = self.client.call("GET", f"/jobs/{job_id}/exceptions")["exceptionHistory"]
        return [str(entry["stacktrace"]) for entry in history["entries"]]

    def cancel(self, job_id: str, timeout: float = _CANCEL_SECONDS) -> str:
        """Cancel a job and wait up to `timeout` seconds for its end; return the state that it ended in.

        Raises:
            WaitTimeout: it did not end.
        """
        self.client.call("PATCH", f"/jobs/{job_id}?mode=cancel")
        wait_until(lambda: self.job_state(job_id) in ENDED_STATES, timeout, f"the end of job {job_id}")
        return self.job_state(job_id)
