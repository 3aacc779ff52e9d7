package realtime.analytics.source;

import java.util.Comparator;

/**
 * A record's place in its shard, as a text: the sequence number, and behind a dot the sub-sequence number of a record that
 * the Kinesis Producer Library packed with others into one. Without it, ten events of such a record would be one.
 */
final class Position {
    private static final char SUB = '.';

    /** In the order of the log. Sequence numbers are whole numbers of up to 56 digits. */
    static final Comparator<String> ORDER = Position::compare;

    private Position() {}

    /** The first of a packed record has the place of a record that stands alone: Firehose does not tell them apart. */
    static String of(String sequence, long sub) {
        return sub == 0 ? sequence : sequence + SUB + sub;
    }

    private static int compare(String one, String other) {
        int oneEnd = end(one);
        int otherEnd = end(other);
        int order = Integer.compare(oneEnd, otherEnd);
        if (order == 0) {
            order = one.substring(0, oneEnd).compareTo(other.substring(0, otherEnd));
        }
        if (order == 0) {
            order = Integer.compare(one.length(), other.length());
        }
        return order == 0 ? one.compareTo(other) : order;
    }

    private static int end(String position) {
        int end = position.indexOf(SUB);
        return end < 0 ? position.length() : end;
    }
}
