package realtime.analytics.intake;

/** Bytes that are not the JSON object they should be; the message says why. Reading them again does not help. */
public final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Without a stack trace: bad input may come at the rate of good input. */
    public MalformedException(String message) {
        super(message, null, false, false);
    }
}
