"""The supervisor with real processes: what it starts ends with it, whatever way it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.ending import end_processes
from local.ports import PORTS, free_port
from local.process_table import Identity, ProcessTable, ProcTable, PsTable, process_table
from local.processes import ProcessDied, RunInUse, Supervisor, WaitTimeout, wait_until
from local.run_record import Child, RunRecord, read_record, record_path, survivors, write_record
from local.stale_runs import clean_up_stale

ROOT = Path(__file__).resolve().parents[3]
TABLE = process_table()

# A child with a grandchild in its group and one that left group and session, as a daemon would. Each ignores
# SIGTERM when asked to, so that only SIGKILL ends it.
FAMILY = textwrap.dedent(
    """
    import pathlib, signal, subprocess, sys, time
    prelude = "import signal, time"
    if "stubborn" in sys.argv:
        prelude += "; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    exec(prelude)
    sleeper = [sys.executable, "-c", prelude + "; print(flush=True); time.sleep(300)"]
    grown = [subprocess.Popen(sleeper, stdout=-1, start_new_session=daemon) for daemon in (False, True)]
    for each in grown:
        each.stdout.readline()
    pathlib.Path(sys.argv[1]).write_text(" ".join(str(each.pid) for each in grown))
    time.sleep(300)
    """
)


def start_family(supervisor: Supervisor, path: Path, *flags: str, name: str = "family") -> set[Identity]:
    process = supervisor.start(name, [sys.executable, "-c", FAMILY, path, *flags])
    pids = wait_until(lambda: path.read_text().split() if path.exists() else None, 30, "the family", process=process)
    found = {TABLE.identify(int(pid)) for pid in pids} | {process.child.identity}
    assert None not in found
    return {identity for identity in found if identity is not None}


def alive(identities: set[Identity]) -> set[Identity]:
    return {identity for identity in identities if TABLE.identify(identity.pid) == identity}


def owner_script(run_dir: Path, family: Path, body: str) -> subprocess.Popen[str]:
    """Run a supervisor in a process of its own, so that it can be killed."""
    script = textwrap.dedent(
        f"""
        import signal, sys, time
        from pathlib import Path
        from local.processes import Supervisor, wait_until
        # Whoever runs the tests may ignore these (nohup, a job in the background); what is ignored stays ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with Supervisor(Path({str(run_dir)!r}), grace=1.0) as supervisor:
            (supervisor.scratch("data") / "file").write_text("x" * 1000)
            process = supervisor.start("family", [sys.executable, "-c", {FAMILY!r}, {str(family)!r}])
            wait_until(lambda: Path({str(family)!r}).exists(), 30, "the family", process=process)
            {body}
        """
    )
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def family_of(path: Path, run_dir: Path) -> set[Identity]:
    wait_until(lambda: path.exists() and path.read_text(), 30, "the family")
    record = read_record(run_dir)
    assert record is not None
    found = survivors(record, TABLE)
    assert len(found) == 3
    return found


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "run", grace=2.0) as running:
        yield running


def test_the_whole_family_ends_with_the_block(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "run", grace=2.0) as supervisor:
        family = start_family(supervisor, tmp_path / "pids")
        scratch = supervisor.scratch("data")
        assert len(alive(family)) == 3
    assert not alive(family)
    assert not scratch.exists()
    record = read_record(tmp_path / "run")
    assert record is not None
    assert record.ended
    assert record.watchdog is not None
    assert not alive({record.watchdog})


def test_what_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    with Supervisor(tmp_path / "run", grace=0.3) as supervisor:
        family = start_family(supervisor, tmp_path / "pids", "stubborn")
    assert not alive(family)


def test_an_error_in_the_block_ends_everything_and_passes(tmp_path: Path) -> None:
    family: set[Identity] = set()

    def fail() -> None:
        with Supervisor(tmp_path / "run", grace=2.0) as supervisor:
            family.update(start_family(supervisor, tmp_path / "pids"))
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        fail()
    assert len(family) == 3
    assert not alive(family)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, -2)])
def test_a_signal_ends_everything(tmp_path: Path, number: signal.Signals, code: int) -> None:
    owner = owner_script(tmp_path / "run", tmp_path / "pids", "time.sleep(60)")
    family = family_of(tmp_path / "pids", tmp_path / "run")
    owner.send_signal(number)
    owner.communicate(timeout=30)
    assert owner.returncode == code
    assert not alive(family)
    assert not (tmp_path / "run/scratch").exists()


def test_a_killed_owner_leaves_nothing_and_the_next_start_says_so(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    owner = owner_script(runs / "one", tmp_path / "pids", "time.sleep(60)")
    family = family_of(tmp_path / "pids", runs / "one")
    owner.kill()
    owner.communicate(timeout=30)
    wait_until(lambda: not alive(family), 30, "the watchdog")
    with pytest.raises(RunInUse, match="died"), Supervisor(runs / "one"):
        pass
    lines = clean_up_stale(runs)
    assert len(lines) == 1
    assert f"run one: its owner (pid {owner.pid}) was killed; its watchdog ended family" in lines[0]
    assert not (runs / "one/scratch").exists()
    assert clean_up_stale(runs) == []
    with Supervisor(runs / "one"):  # usable again
        pass


def test_a_forked_copy_of_the_owner_does_not_fool_the_watchdog(tmp_path: Path) -> None:
    forked = tmp_path / "forked"
    # The copy holds the watchdog's pipe open; its pid is told by the original.
    body = f"import os; pid = os.fork(); pid and Path({str(forked)!r}).write_text(f'{{pid}};'); time.sleep(60)"
    owner = owner_script(tmp_path / "run", tmp_path / "pids", body)
    family = family_of(tmp_path / "pids", tmp_path / "run")
    told = wait_until(lambda: forked.exists() and forked.read_text(), 30, "the copy")
    copy = int(str(told).removesuffix(";"))
    assert _parent_of(copy) == owner.pid
    owner.kill()
    owner.wait(timeout=30)
    try:
        wait_until(lambda: not alive(family), 30, "the watchdog")
    finally:
        if TABLE.identify(copy) is not None:
            os.kill(copy, signal.SIGKILL)


def test_killing_owner_and_watchdog_leaves_the_rest_to_the_next_start(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    owner = owner_script(runs / "one", tmp_path / "pids", "time.sleep(60)")
    family = family_of(tmp_path / "pids", runs / "one")
    record = read_record(runs / "one")
    assert record is not None
    assert record.watchdog is not None
    os.kill(record.watchdog.pid, signal.SIGKILL)
    owner.kill()
    owner.communicate(timeout=30)
    assert len(alive(family)) == 3
    lines = clean_up_stale(runs, grace=2.0)
    assert "ended 3 processes now (family)" in lines[0]
    assert not alive(family)


def test_a_running_neighbour_is_never_touched(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    with Supervisor(runs / "one") as one, Supervisor(runs / "two") as two:
        first, second = (start_family(each, tmp_path / each.run_dir.name) for each in (one, two))
        assert clean_up_stale(runs) == []
        with pytest.raises(RunInUse, match="in use"), Supervisor(runs / "one"):
            pass
        two.close()
        assert not alive(second)
        assert len(alive(first)) == 3


@pytest.mark.parametrize("table", [ProcTable(), PsTable()], ids=["proc", "ps"])
def test_a_reused_pid_is_neither_owner_nor_victim(tmp_path: Path, table: ProcessTable) -> None:
    """The recorded pids now belong to a stranger: here a process that no run has started."""
    stranger = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
    try:
        seen = table.identify(stranger.pid)
        assert seen is not None
        earlier = replace(seen, started="earlier")
        run = tmp_path / "runs/one"
        run.mkdir(parents=True)
        record = RunRecord(mark="0" * 32, owner=earlier, watchdog=earlier, children=(Child("db", earlier),))
        write_record(run, record)
        assert survivors(record, table) == set()
        assert "no process of it was left" in clean_up_stale(tmp_path / "runs")[0]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("table", [ProcTable(), PsTable()], ids=["proc", "ps"])
def test_both_tables_see_groups_and_marks(tmp_path: Path, supervisor: Supervisor, table: ProcessTable) -> None:
    family = start_family(supervisor, tmp_path / "pids")
    record = read_record(supervisor.run_dir)
    assert record is not None
    process = supervisor.processes[0]
    assert _pids(table.marked(f"{record.mark}:family;")) == _pids(family)
    assert table.marked(f"{record.mark}:fam;") == set()
    assert len(table.group(process.pid)) == 2  # without the one that left
    assert table.identify(process.pid) is not None
    os.kill(process.pid, signal.SIGKILL)
    wait_until(lambda: table.identify(process.pid) is None, 5, "the zombie")


def test_an_unreadable_record_is_reported_and_left(tmp_path: Path) -> None:
    run = tmp_path / "one"
    run.mkdir()
    record_path(run).write_text('{"mark": 5}')
    assert "cannot be read" in clean_up_stale(tmp_path)[0]
    assert record_path(run).exists()
    assert clean_up_stale(tmp_path / "missing") == []


def test_stop_and_start_again_under_the_same_name(tmp_path: Path, supervisor: Supervisor) -> None:
    first = start_family(supervisor, tmp_path / "first")
    other = start_family(supervisor, tmp_path / "other", name="family-2")
    with pytest.raises(ValueError, match="taken"):
        supervisor.start("family", ["/bin/sleep", "1"])
    supervisor.stop(supervisor.processes[0], grace=0)
    assert not alive(first)
    assert len(alive(other)) == 3
    supervisor.raise_if_died()
    start_family(supervisor, tmp_path / "second")
    record = json.loads(record_path(supervisor.run_dir).read_text())
    assert [child["name"] for child in record["children"]] == ["family-2", "family"]


def test_a_death_is_told_with_the_log(supervisor: Supervisor) -> None:
    process = supervisor.start("db", ["/bin/sh", "-c", "echo out of luck; exit 3"])
    with pytest.raises(ProcessDied, match=r"(?s)waiting for the port: db ended with exit code 3.*out of luck"):
        wait_until(lambda: None, 30, "the port", process=process)
    with pytest.raises(ProcessDied, match="exit code 3"):
        supervisor.raise_if_died()


def test_a_timeout_is_told_with_the_log(supervisor: Supervisor) -> None:
    process = supervisor.start("db", ["/bin/sh", "-c", "echo still thinking; sleep 60"])
    wait_until(lambda: "still" in process.tail(), 5, "its output", process=process)
    with pytest.raises(WaitTimeout, match=r"(?s)waiting for the port: not there after 0\.2 s.*still thinking"):
        wait_until(lambda: False, 0.2, "the port", process=process)


def test_run_waits_for_the_end(supervisor: Supervisor) -> None:
    log = supervisor.run("tool", ["/bin/sh", "-c", 'echo "$WHO"'], timeout=10, env={"WHO": "me"})
    assert log.read_text() == "me\n"
    with pytest.raises(ProcessDied, match=r"(?s)tool ended with exit code 127.*not found"):
        supervisor.run("tool", ["/no/such/tool"], timeout=30)
    with pytest.raises(WaitTimeout, match=r"not done after 0\.2 s"):
        supervisor.run("tool", ["/bin/sleep", "60"], timeout=0.2)
    assert supervisor.processes == ()
    supervisor.raise_if_died()


@pytest.mark.parametrize("name", ["", "../up", "Upper", "a b", "x;y"])
def test_a_malformed_name_is_refused(supervisor: Supervisor, name: str) -> None:
    with pytest.raises(ValueError, match="only lower case"):
        supervisor.start(name, ["/bin/sleep", "1"])


def test_a_child_is_not_run_before_it_is_recorded(
    tmp_path: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("local.processes.write_record", full_disk)
    with pytest.raises(OSError, match="no space"):
        supervisor.start("touch", ["/usr/bin/touch", tmp_path / "touched"])
    monkeypatch.undo()
    assert supervisor.processes == ()
    assert not (tmp_path / "touched").exists()


def test_ending_finds_what_is_forked_meanwhile(supervisor: Supervisor) -> None:
    forker = "trap '' TERM; while :; do sleep 0.01 & done"  # a new process every moment
    process = supervisor.start("forker", ["/bin/sh", "-c", f"ulimit -u 2000; {forker}"])
    time.sleep(0.1)
    supervisor.stop(process, grace=0.2)
    assert TABLE.group(process.pid) == set()
    assert end_processes(set, TABLE, 0) == set()


def test_free_ports_are_free_and_never_given_twice() -> None:
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == 200
    first = free_port(following=2)
    assert not {first, first + 1, first + 2} & set(ports)


def test_no_outgoing_connection_can_take_a_free_port() -> None:
    assert free_port() in PORTS
    kernels = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if kernels.exists():
        assert max(PORTS) < int(kernels.read_text().split()[0])


def _pids(identities: set[Identity]) -> set[int]:
    return {identity.pid for identity in identities}


def _parent_of(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(text.rpartition(")")[2].split()[1])
