"""Between Flink and the rules of the jobs: the JVM's gateway, the columns, and who calls a rule when."""
