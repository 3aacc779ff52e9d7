#!/usr/bin/env bash
# Flink starts this in place of PyFlink's own script, once for each slot and job: it asks the tests' process for a
# worker, and stays until the worker ends or Flink ends this (cluster.py).
exec 3<>"/dev/tcp/127.0.0.1/${TESTS_WORKER_PORT}"
printf '%s\n' "$@" '' >&3
cat <&3
