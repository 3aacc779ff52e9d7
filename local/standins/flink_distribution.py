"""The Flink that lies inside the PyPI package apache-flink, and the Java command lines to run it.

The package's shell scripts are not used: they break on paths with spaces, start two more JVMs each, and their
processes are one `exec` away from ours. What they do is done here with the same classes, `BashJavaUtils`
included.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from local.environment import child_environment
from local.standins.java import java_command

# The stand-in speaks JSON only: the AWS SDKs, shaded and not, must leave CBOR alone (docs: platform facts).
AWS_JAVA_OPTIONS = (
    "-Dorg.apache.flink.kinesis.shaded.com.amazonaws.sdk.disableCbor=true",
    "-Dcom.amazonaws.sdk.disableCbor=true",
    "-Daws.cborEnabled=false",
)
AWS_ENVIRONMENT = {"AWS_CBOR_DISABLE": "true", "CBOR_ENABLED": "false"}

_MEMORY_SECONDS = 60.0
_RESULT = "BASH_JAVA_UTILS_EXEC_RESULT:"


class FlinkMissing(Exception):
    """The package apache-flink is not installed, or not laid out as version 1.20 is."""


@dataclass(frozen=True)
class FlinkDistribution:
    """One installed Flink; `home` is the directory of the package pyflink."""

    home: Path

    @classmethod
    def installed(cls) -> FlinkDistribution:
        """Return the one of this interpreter, without importing it.

        Raises:
            FlinkMissing: apache-flink is not installed here.
        """
        spec = importlib.util.find_spec("pyflink")
        if spec is None or not spec.submodule_search_locations:
            raise FlinkMissing("the package apache-flink is not installed for this Python")
        return cls(Path(spec.submodule_search_locations[0]))

    def classpath(self, *, with_python: bool) -> str:
        """Return the class path: lib/, the Python operators if asked for, flink-dist last as in scripts."""
        jars = sorted((self.home / "lib").glob("*.jar"))
        dist = [jar for jar in jars if jar.name.startswith("flink-dist")]
        python = sorted((self.home / "opt").glob("flink-python-*.jar"))
        if len(dist) != 1 or len(python) != 1:
            raise FlinkMissing(f"{self.home}: expected one flink-dist and one flink-python jar")
        others = [jar for jar in jars if jar not in dist]
        return ":".join(map(str, [*others, *(python if with_python else []), *dist]))

    def java_options(self) -> list[str]:
        """Return the module options that Flink needs on Java 17, from the package's own configuration."""
        text = (self.home / "conf/config.yaml").read_text(encoding="utf-8")
        options = re.search(r"^\s*all:\s*(--add-.+)$", text, re.MULTILINE)
        if options is None:
            raise FlinkMissing(f"{self.home}/conf/config.yaml has no env.java.opts.all")
        return options[1].split()

    def java(
        self,
        main: str,
        arguments: Sequence[str],
        *,
        options: Sequence[str],
        python: bool,
        extra: Sequence[Path] = (),
    ) -> list[str]:
        """Return the command that runs class `main` of this Flink.

        Args:
            main: the class.
            arguments: its arguments.
            options: of the JVM, before ours.
            python: whether the Python operators are on the class path.
            extra: more jars for the class path.
        """
        jars = ":".join([*map(str, extra), self.classpath(with_python=python)])
        # Without the shared statistics file a killed JVM leaves nothing in the system's temporary directory.
        return [
            *(str(java_command()), *options, *self.java_options(), *AWS_JAVA_OPTIONS, "-XX:-UsePerfData"),
            *("-classpath", jars, main, *arguments),
        ]

    def environment(self, configuration: Path) -> dict[str, str]:
        """Return the variables that Flink's processes read; `configuration`: the directory of config.yaml."""
        return {
            **AWS_ENVIRONMENT,
            "FLINK_CONF_DIR": str(configuration),
            "FLINK_BIN_DIR": str(self.home / "bin"),
            "FLINK_LIB_DIR": str(self.home / "lib"),
            "FLINK_OPT_DIR": str(self.home / "opt"),
            "FLINK_PLUGINS_DIR": str(self.home / "plugins"),
        }

    def memory(self, command: str, configuration: Path) -> tuple[list[str], list[str]]:
        """Split a process's memory as the scripts do, with Flink's own calculation.

        Args:
            command: GET_JM_RESOURCE_PARAMS or GET_TM_RESOURCE_PARAMS.
            configuration: the directory of config.yaml.

        Returns:
            The JVM's options and the arguments ("-D", "key=value", ...) for the main class.

        Raises:
            FlinkMissing: Flink refused the configuration; the message holds its output.
        """
        jars = f"{self.home / 'bin/bash-java-utils.jar'}:{self.classpath(with_python=False)}"
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [
                *(str(java_command()), "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-cp", jars),
                *(
                    "org.apache.flink.runtime.util.bash.BashJavaUtils",
                    command,
                    "--configDir",
                    str(configuration),
                ),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=_MEMORY_SECONDS,
            env=child_environment(),
        )
        found = [line.removeprefix(_RESULT) for line in done.stdout.splitlines() if line.startswith(_RESULT)]
        if done.returncode != 0 or len(found) != 2:
            raise FlinkMissing(f"{command} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return found[0].split(), found[1].split()
