package realtime.analytics.source;

import java.util.Comparator;

/** From which to which position a file holds records of one shard. Positions are numbers of any length, as texts. */
final class ArchivedRange {
    /** Sequence numbers have 56 digits. */
    static final Comparator<String> BY_POSITION =
            Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder());

    String low;
    String high;

    ArchivedRange(String low, String high) {
        this.low = low;
        this.high = high;
    }

    /** Takes a position in. */
    void add(String position) {
        if (BY_POSITION.compare(position, low) < 0) {
            low = position;
        }
        if (BY_POSITION.compare(position, high) > 0) {
            high = position;
        }
    }

    boolean overlaps(ArchivedRange other) {
        return BY_POSITION.compare(low, other.high) <= 0 && BY_POSITION.compare(other.low, high) <= 0;
    }
}
