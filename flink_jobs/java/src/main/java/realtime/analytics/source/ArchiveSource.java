package realtime.analytics.source;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.SourceFunction;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;

/**
 * Reads archived records in file order, once, with the verdicts and watermarks of the live source: one JSON object a
 * line with source, partition, position, arrival_time (epoch milliseconds) and payload (base64).
 *
 * <p>Bounded and not restartable from a checkpoint: a failed run starts over, which is safe because ids are pure
 * functions of the input.
 */
public final class ArchiveSource implements SourceFunction<Intake> {
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long delayMillis;
    private final long futureToleranceMillis;
    private volatile boolean running = true;

    private ArchiveSource(String file, long delayMillis, long futureToleranceMillis) {
        this.file = file;
        this.delayMillis = delayMillis;
        this.futureToleranceMillis = futureToleranceMillis;
    }

    /** The archive as a stream of decoded records. All times in milliseconds. */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment, String file, long delayMillis, long futureToleranceMillis) {
        return environment
                .addSource(
                        new ArchiveSource(file, delayMillis, futureToleranceMillis),
                        "archive " + file,
                        TypeInformation.of(Intake.class))
                .uid("source");
    }

    @Override
    public void run(SourceContext<Intake> context) throws IOException {
        Set<String> silent = partitions();
        Map<String, PartitionClock> clocks = new HashMap<>();
        EventDecoder decoder = new EventDecoder(futureToleranceMillis);
        PartitionLog log = new PartitionLog(context, new HashMap<>());
        long watermark = Long.MIN_VALUE;
        try (BufferedReader lines = open()) {
            for (String line = lines.readLine(); running && line != null; line = lines.readLine()) {
                Intake record = parse(line);
                decoder.decode(record);
                PartitionClock clock =
                        clocks.computeIfAbsent(record.partition, name -> new PartitionClock(delayMillis));
                log.collectWithTimestamp(record, clock.extractTimestamp(record, Long.MIN_VALUE));
                if (clock.getCurrentWatermark() != null) {
                    silent.remove(record.partition);
                }
                if (silent.isEmpty()) {
                    long lowest = Long.MAX_VALUE;
                    for (PartitionClock each : clocks.values()) {
                        Watermark mark = each.getCurrentWatermark();
                        lowest = mark == null ? lowest : Math.min(lowest, mark.getTimestamp());
                    }
                    if (lowest > watermark && lowest != Long.MAX_VALUE) {
                        watermark = lowest;
                        log.emitWatermark(new Watermark(watermark));
                    }
                }
            }
        }
    }

    @Override
    public void cancel() {
        running = false;
    }

    private Set<String> partitions() throws IOException {
        Set<String> names = new HashSet<>();
        try (BufferedReader lines = open()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                names.add(parse(line).partition);
            }
        }
        return names;
    }

    private BufferedReader open() throws IOException {
        Path path = new Path(file);
        return new BufferedReader(
                new InputStreamReader(FileSystem.get(path.toUri()).open(path), StandardCharsets.UTF_8));
    }

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static Intake parse(String line) throws IOException {
        JsonNode node = MAPPER.readTree(line);
        return new Intake(
                node.required("source").asText(),
                node.required("partition").asText(),
                node.required("position").asText(),
                node.required("arrival_time").asLong(),
                node.required("payload").binaryValue());
    }
}
