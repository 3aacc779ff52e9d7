package realtime.analytics.sink;

import org.apache.flink.connector.file.sink.FileSink;
import org.apache.flink.core.fs.Path;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.filesystem.OutputFileConfig;
import org.apache.flink.streaming.api.functions.sink.filesystem.bucketassigners.BasePathBucketAssigner;
import org.apache.flink.streaming.api.functions.sink.filesystem.rollingpolicies.OnCheckpointRollingPolicy;

/** Writes documents to files, a line each, exactly once: a file appears with the checkpoint that completes it. */
public final class FilesSink {
    private FilesSink() {}

    /** @param folder an address of Flink's file systems; the files lie right in it. */
    public static void attach(DataStream<KeyedJson> documents, String folder) {
        documents
                .sinkTo(
                        FileSink.<KeyedJson>forRowFormat(
                                        new Path(folder),
                                        (document, out) -> {
                                            out.write(document.json);
                                            out.write('\n');
                                        })
                                .withBucketAssigner(new BasePathBucketAssigner<>())
                                .withRollingPolicy(OnCheckpointRollingPolicy.build())
                                .withOutputFileConfig(new OutputFileConfig("results", ".jsonl"))
                                .build())
                .name("results to " + folder)
                .uid("results-files-sink");
    }
}
