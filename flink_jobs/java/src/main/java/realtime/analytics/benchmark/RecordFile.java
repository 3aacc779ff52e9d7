package realtime.analytics.benchmark;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.RichSourceFunction;
import org.apache.flink.streaming.api.operators.StreamingRuntimeContext;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.EventContract;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;
import realtime.analytics.source.Horizon;

/**
 * Reads a benchmark's file of records with next to no cost of its own, and does with each what the live source does:
 * decoder, clock of its partition, watermark of the slowest. For benchmarks only; it lies in the jar so that they run
 * what is deployed.
 *
 * <p>The file: the number of partitions, then per record partition, arrival (epoch milliseconds), length and payload,
 * big-endian.
 */
public final class RecordFile extends RichSourceFunction<Intake> {
    private static final long serialVersionUID = 1L;

    /** A live source sends a watermark five times a second; at 100,000 events a second that is one in 20,000. */
    private static final int RECORDS_PER_WATERMARK = 1_000;

    private final String file;
    private final long delayMillis;
    private final EventContract contract;
    private final long warmUp;
    private final String mark;
    private volatile boolean running = true;

    private RecordFile(String file, long delayMillis, EventContract contract, long warmUp, String mark) {
        this.file = file;
        this.delayMillis = delayMillis;
        this.contract = contract;
        this.warmUp = warmUp;
        this.mark = mark;
    }

    /**
     * The file as a stream of decoded records.
     *
     * @param warmUp how many records only warm up; when they have left, the file {@code mark} is created.
     */
    public static DataStream<Intake> attach(
            StreamExecutionEnvironment environment,
            String file,
            long delayMillis,
            EventContract contract,
            long warmUp,
            String mark) {
        return environment
                .addSource(
                        new RecordFile(file, delayMillis, contract, warmUp, mark),
                        "records",
                        TypeInformation.of(Intake.class))
                .setParallelism(1)
                .uid("source");
    }

    @Override
    public void run(SourceContext<Intake> context) throws IOException {
        Horizon.tell(
                ((StreamingRuntimeContext) getRuntimeContext()).getGlobalAggregateManager(), Horizon.BEGINNING);
        EventDecoder decoder = new EventDecoder(contract);
        try (DataInputStream records = new DataInputStream(new BufferedInputStream(new FileInputStream(file), 1 << 20))) {
            PartitionClock[] clocks = new PartitionClock[records.readInt()];
            String[] names = new String[clocks.length];
            for (int i = 0; i < clocks.length; i++) {
                clocks[i] = new PartitionClock(delayMillis);
                names[i] = "shardId-" + i;
            }
            for (long number = 1; running; number++) {
                if (number == warmUp + 1) {
                    Files.createFile(Path.of(mark));
                }
                int partition;
                try {
                    partition = records.readInt();
                } catch (EOFException end) {
                    return;
                }
                long arrival = records.readLong();
                byte[] payload = new byte[records.readInt()];
                records.readFully(payload);
                Intake record = new Intake("events", names[partition], Long.toString(number), arrival, payload);
                decoder.decode(record);
                long timestamp = clocks[partition].extractTimestamp(record, Long.MIN_VALUE);
                synchronized (context.getCheckpointLock()) {
                    context.collectWithTimestamp(record, timestamp);
                    if (number % RECORDS_PER_WATERMARK == 0) {
                        emitWatermark(context, clocks);
                    }
                }
            }
        }
    }

    private static void emitWatermark(SourceContext<Intake> context, PartitionClock[] clocks) {
        long lowest = Long.MAX_VALUE;
        for (PartitionClock clock : clocks) {
            Watermark mark = clock.getCurrentWatermark();
            if (mark == null) {
                return;
            }
            lowest = Math.min(lowest, mark.getTimestamp());
        }
        context.emitWatermark(new Watermark(lowest));
    }

    @Override
    public void cancel() {
        running = false;
    }
}
