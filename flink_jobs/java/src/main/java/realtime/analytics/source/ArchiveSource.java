package realtime.analytics.source;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.RichSourceFunction;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.intake.Reason;

/**
 * Reads archived records in file order, once, with the verdicts and watermarks of the live source: one JSON object a
 * line with source, partition, position, arrival_time (epoch milliseconds), payload (base64), and the verdict where
 * it is known: "accepted" or the reason of the rejection.
 *
 * <p>A partition's records stand in their order; partitions may be mixed in any way. A live verdict is kept as it is:
 * lateness after idleness and duplicates across shards follow from timing, which an archive does not hold, and at its
 * edges it does not even hold what came before. Without a verdict, the record is judged as the live source would.
 *
 * <p>Bounded and not restartable from a checkpoint: a failed run starts over, which is safe because ids are pure
 * functions of the input.
 */
public final class ArchiveSource extends RichSourceFunction<Intake> {
    private static final long serialVersionUID = 1L;

    private static final String ACCEPTED = "accepted";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String file;
    private final long delayMillis;
    private final EventContract contract;
    private final long knownFrom;
    private volatile boolean running = true;

    private ArchiveSource(String file, long delayMillis, EventContract contract, long knownFrom) {
        this.file = file;
        this.delayMillis = delayMillis;
        this.contract = contract;
        this.knownFrom = knownFrom;
    }

    /**
     * The archive as a stream of decoded records. All times in milliseconds.
     *
     * @param knownFrom the event time from which on the archive holds every event; 0 for a log from its beginning.
     */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment,
            String file,
            long delayMillis,
            EventContract contract,
            long knownFrom) {
        return environment
                .addSource(
                        new ArchiveSource(file, delayMillis, contract, knownFrom),
                        "archive " + file,
                        TypeInformation.of(Intake.class))
                .uid("source");
    }

    @Override
    public void run(SourceContext<Intake> context) throws IOException {
        Set<String> silent = partitions();
        Map<String, PartitionClock> clocks = new HashMap<>();
        EventDecoder decoder = new EventDecoder(contract);
        PartitionLog log = new PartitionLog(context, new HashMap<>(), Long.MIN_VALUE);
        Horizon.tell(((StreamingRuntimeContext) getRuntimeContext()).getGlobalAggregateManager(), knownFrom);
        try (BufferedReader lines = open()) {
            for (String line = lines.readLine(); running && line != null; line = lines.readLine()) {
                JsonNode node = MAPPER.readTree(line);
                Intake record = record(node);
                decoder.decode(record);
                PartitionClock clock =
                        clocks.computeIfAbsent(record.partition, name -> new PartitionClock(delayMillis));
                JsonNode verdict = node.get("verdict");
                long timestamp =
                        verdict == null
                                ? clock.extractTimestamp(record, Long.MIN_VALUE)
                                : judged(record, verdict.asText(), clock);
                log.collectWithTimestamp(record, timestamp);
                if (clock.getCurrentWatermark() != null) {
                    silent.remove(record.partition);
                }
                if (silent.isEmpty()) {
                    long lowest = lowest(clocks);
                    if (lowest > log.watermark()) {
                        log.emitWatermark(new Watermark(lowest));
                    }
                }
            }
        }
    }

    @Override
    public void cancel() {
        running = false;
    }

    private static long judged(Intake record, String verdict, PartitionClock clock) {
        if (!verdict.equals(ACCEPTED) && record.accepted()) {
            record.reject(Objects.requireNonNull(Reason.of(verdict), verdict), "as it was judged when it arrived");
        }
        return clock.follow(record);
    }

    private static long lowest(Map<String, PartitionClock> clocks) {
        long lowest = Long.MAX_VALUE;
        for (PartitionClock each : clocks.values()) {
            Watermark mark = each.getCurrentWatermark();
            lowest = mark == null ? lowest : Math.min(lowest, mark.getTimestamp());
        }
        return lowest == Long.MAX_VALUE ? Long.MIN_VALUE : lowest;
    }

    private Set<String> partitions() throws IOException {
        Set<String> names = new HashSet<>();
        try (BufferedReader lines = open()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                names.add(MAPPER.readTree(line).required("partition").asText());
            }
        }
        return names;
    }

    private BufferedReader open() throws IOException {
        Path path = new Path(file);
        return new BufferedReader(
                new InputStreamReader(FileSystem.get(path.toUri()).open(path), StandardCharsets.UTF_8));
    }

    private static Intake record(JsonNode node) throws IOException {
        return new Intake(
                node.required("source").asText(),
                node.required("partition").asText(),
                node.required("position").asText(),
                node.required("arrival_time").asLong(),
                node.required("payload").binaryValue());
    }
}
