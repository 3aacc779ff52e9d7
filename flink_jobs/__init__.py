"""The Flink application: settings, source, jobs and sinks as one job graph."""
