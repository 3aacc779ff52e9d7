#!/usr/bin/env bash
# Names what the machine lacks, with the line that installs it, before anything is downloaded.
set -u

missing=0
lacks() { # lacks WHAT DEBIAN-LINE BREW-LINE
  printf 'missing: %s\n    Debian or Ubuntu: %s\n    macOS:            %s\n' "$1" "$2" "$3" >&2
  missing=1
}

# A colon ends an entry of Java's class path, and Flink's own script splits the path of Python at a space.
case $PWD in
  *[[:space:]:\;,\|\"\'\`\$%#\&\\*?\[\]\(\)\{\}\<\>!]*)
    printf 'cannot run in %s: Flink and make break on spaces and punctuation in a path; move the checkout to another folder\n' "$PWD" >&2
    exit 1 ;;
esac

python=${PYTHON:-python3.11}
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
  lacks "Python 3.11 with venv, as '$python' (set PYTHON to name another)" \
    "sudo apt-get install python3.11 python3.11-venv" "brew install python@3.11"

java=java
[ -n "${JAVA_HOME:-}" ] && java=$JAVA_HOME/bin/java
jdk() { # jdk WHAT
  lacks "$1" "sudo apt-get install openjdk-17-jdk-headless" "brew install openjdk@17"
}
if ! "$java" -version 2>&1 | grep -q 'version "17[."]'; then
  jdk "a JDK 17, as '$java' (set JAVA_HOME to name another)"
elif ! "${java%java}javac" -version >/dev/null 2>&1; then
  jdk "javac beside '$java': a JDK, not a JRE"
fi

mvn --version >/dev/null 2>&1 || lacks "Maven 3.8 or newer" "sudo apt-get install maven" "brew install maven"

node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null ||
  lacks "Node.js 20 or newer" "see nodejs.org, or sudo apt-get install nodejs npm" "brew install node"
npm --version >/dev/null 2>&1 || lacks "npm" "sudo apt-get install npm" "brew install node"

# Flink's Python workers, Kafka and OpenSearch listen on 127.0.0.1, and some of them are called by that name.
loopback='import socket; assert "127.0.0.1" in [each[4][0] for each in socket.getaddrinfo("localhost", 0)]'
if "$python" -c '' 2>/dev/null && ! "$python" -c "$loopback" 2>/dev/null; then
  printf 'localhost is not 127.0.0.1 on this machine: add the line "127.0.0.1 localhost" to /etc/hosts\n' >&2
  missing=1
fi

# Only the tests drive a browser; the names are those of scripts/browser.py.
if [ "${1:-}" = tests ]; then
  browser=
  for name in chromium chromium-browser google-chrome-stable google-chrome chrome; do
    command -v "$name" >/dev/null && browser=$name
  done
  [ -n "$browser" ] ||
    lacks "Chromium, for the tests of the live page" "sudo apt-get install chromium fonts-dejavu-core" \
      "brew install --cask chromium"
fi

exit $missing
