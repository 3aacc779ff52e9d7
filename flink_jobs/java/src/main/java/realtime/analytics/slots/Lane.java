package realtime.analytics.slots;

import java.io.Serializable;
import java.util.Set;

/**
 * What the Python jobs that share a key and a pace are given: which events, and which fields of them.
 *
 * <p>A field's kind is a letter: q a whole number, d a double, m a decimal of six places as a whole number of millionths,
 * s a text with repetitions, t a text without, b true or false. All but t may be null; a null decimal is 0.
 */
public final class Lane implements Serializable {
    private static final long serialVersionUID = 1L;

    final String name;
    /** Where the key stands in an event's row. */
    final int key;
    /** Only events of these types; empty for all. */
    final Set<String> eventTypes;
    /** Where the fields stand that an event must have. */
    final int[] needs;
    /** Milliseconds of event time that are handed over together, at most. */
    final long slotMillis;
    /** Whether a slot may be shorter where the events are many. */
    final boolean shrinks;
    /** Names of the fields, their kinds, and where they stand. */
    final String[] fields;

    final char[] kinds;
    final int[] positions;

    public Lane(
            String name,
            int key,
            String[] eventTypes,
            int[] needs,
            long slotMillis,
            boolean shrinks,
            String[] fields,
            String kinds,
            int[] positions) {
        this.name = name;
        this.key = key;
        this.eventTypes = Set.of(eventTypes);
        this.needs = needs.clone();
        this.slotMillis = slotMillis;
        this.shrinks = shrinks;
        this.fields = fields.clone();
        this.kinds = kinds.toCharArray();
        this.positions = positions.clone();
    }
}
