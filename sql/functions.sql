-- Functions of the job's jar that the queries call. In the SQL client: ADD JAR first, then this file.
CREATE TEMPORARY SYSTEM FUNCTION DECAYED_TOP
AS 'realtime.analytics.jobs.DecayedTop' LANGUAGE JAVA;
