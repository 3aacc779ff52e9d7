package realtime.analytics.source;

/** From which to which position ({@link Position}) a file holds records of one shard. */
final class ArchivedRange {
    String low;
    String high;

    ArchivedRange(String low, String high) {
        this.low = low;
        this.high = high;
    }

    /** Takes a position in. */
    void add(String position) {
        if (Position.ORDER.compare(position, low) < 0) {
            low = position;
        }
        if (Position.ORDER.compare(position, high) > 0) {
            high = position;
        }
    }

    boolean overlaps(ArchivedRange other) {
        return Position.ORDER.compare(low, other.high) <= 0 && Position.ORDER.compare(other.low, high) <= 0;
    }
}
