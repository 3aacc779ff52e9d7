package realtime.analytics.source;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.Function;
import org.apache.flink.streaming.api.watermark.Watermark;
import realtime.analytics.intake.EventDecoder;
import realtime.analytics.intake.Intake;
import realtime.analytics.intake.PartitionClock;

/**
 * Merges partitions by event time: the next record is always of the partition whose clock stands lowest, so none runs
 * ahead of another, and the watermark follows the slowest that has records left.
 */
final class Playback implements Closeable {
    /** Nothing is known of the partition's times. */
    private static final long NONE = ShardReport.NONE;

    private static final class Cursor {
        final String partition;
        final PartitionReader reader;
        final PartitionClock clock;
        Intake head;
        /** Where the partition's own watermark stands, or would with its first event. */
        long stand;

        Cursor(String partition, PartitionReader reader, PartitionClock clock) {
            this.partition = partition;
            this.reader = reader;
            this.clock = clock;
        }
    }

    private final EventDecoder decoder;
    private final long delayMillis;
    private final List<Cursor> cursors = new ArrayList<>();
    private final PriorityQueue<Cursor> queue = new PriorityQueue<>((one, other) -> Long.compare(one.stand, other.stand));
    private final Set<String> left = new HashSet<>();

    /**
     * @param readers of the partitions.
     * @param skip what {@link #taken()} said before.
     * @param clocks of the partitions, as they stood after that.
     */
    Playback(
            Map<String, PartitionReader> readers,
            Map<String, Long> skip,
            Function<String, PartitionClock> clocks,
            EventDecoder decoder,
            long delayMillis)
            throws IOException {
        this.decoder = decoder;
        this.delayMillis = delayMillis;
        for (Map.Entry<String, PartitionReader> each : readers.entrySet()) {
            Cursor cursor = new Cursor(each.getKey(), each.getValue(), clocks.apply(each.getKey()));
            cursors.add(cursor);
            left.add(cursor.partition);
            cursor.reader.skip(skip.getOrDefault(each.getKey(), 0L));
            advance(cursor);
        }
    }

    /** The next record, decoded, not judged; null after the last one. */
    Intake peek() {
        return queue.isEmpty() ? null : queue.peek().head;
    }

    /** The clock of the next record's partition. */
    PartitionClock clock() {
        return queue.peek().clock;
    }

    /** Goes on to the next record, after the clock has seen this one. */
    void advance() throws IOException {
        advance(queue.poll());
    }

    /** Leaves the rest of the next record's partition out. */
    void drop() {
        left.remove(queue.poll().partition);
    }

    private void advance(Cursor cursor) throws IOException {
        cursor.head = cursor.reader.next();
        if (cursor.head == null) {
            left.remove(cursor.partition);
            return;
        }
        if (cursor.head.accepted()) {
            decoder.decode(cursor.head);
        }
        Watermark own = cursor.clock.getCurrentWatermark();
        if (own != null) {
            cursor.stand = own.getTimestamp();
        } else {
            cursor.stand = cursor.head.accepted() ? cursor.head.clockTime() - delayMillis : NONE;
        }
        queue.add(cursor);
    }

    /** The watermark of the slowest partition that has records left: Long.MAX_VALUE when none has. */
    long watermark() {
        return queue.isEmpty() ? Long.MAX_VALUE : queue.peek().stand;
    }

    /** Where the first event of the partition that begins last moves its clock; valid before any event has been taken. */
    long lastToBegin() {
        return queue.stream().mapToLong(cursor -> cursor.stand).max().orElse(NONE) + delayMillis;
    }

    /** How many records of each partition another playback of what is left of the files would have to skip. */
    Map<String, Long> taken() {
        Map<String, Long> taken = new HashMap<>();
        cursors.forEach(each -> taken.put(each.partition, each.reader.given() - (each.head == null ? 0 : 1)));
        return taken;
    }

    /** The partitions that have records left. */
    Set<String> left() {
        return left;
    }

    @Override
    public void close() throws IOException {
        for (Cursor each : cursors) {
            each.reader.close();
        }
    }
}
