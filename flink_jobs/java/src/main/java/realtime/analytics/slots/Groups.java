package realtime.analytics.slots;

/**
 * The groups into which keys are put: a group is the unit of state, of an exchange and of a call. Their number is part of
 * the state's layout: a savepoint fits this number only.
 */
final class Groups {
    private static final int BITS = 6;
    static final int COUNT = 1 << BITS;

    /** Spreads keys that follow a pattern: 2^64 divided by the golden ratio (Knuth's multiplicative hash). */
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private Groups() {}

    /** @param key a Long or a String; the hash of both is part of the language. */
    static int of(Object key) {
        long hash = key instanceof Long ? (Long) key : key.hashCode();
        return (int) ((hash * SPREAD) >>> (Long.SIZE - BITS));
    }
}
