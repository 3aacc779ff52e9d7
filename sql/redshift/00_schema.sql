-- Written by `make docs` from contracts/: change it there.
-- The account's streams as a schema; the namespace's default role may read the results' stream.
CREATE EXTERNAL SCHEMA IF NOT EXISTS realtime FROM KINESIS IAM_ROLE DEFAULT;
