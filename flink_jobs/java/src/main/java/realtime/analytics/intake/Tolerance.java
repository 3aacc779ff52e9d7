package realtime.analytics.intake;

import java.io.Serializable;
import java.time.Duration;

/** How far an event's time may be from its arrival, so that no wrong clock holds or hurries anybody. Milliseconds. */
public final class Tolerance implements Serializable {
    private static final long serialVersionUID = 1L;

    private final long future;
    private final long past;

    /**
     * @param future how far event_time may be after the arrival.
     * @param past how far it may be before the arrival; 0 is no limit.
     */
    public Tolerance(long future, long past) {
        this.future = future;
        this.past = past;
    }

    /** How far event_time may be after the arrival, milliseconds. */
    public long future() {
        return future;
    }

    /** Rejects a decoded record whose time is too far from its arrival. */
    void judge(Intake record) {
        long ahead = record.eventTime - record.arrival;
        if (ahead > future) {
            record.reject(
                    Reason.FUTURE, "event_time is " + ahead + " ms after the arrival, at most " + future + " are accepted");
        } else if (past > 0 && -ahead > past) {
            record.reject(
                    Reason.PAST,
                    "event_time is " + readable(-ahead) + " before the arrival; time.past_tolerance is " + readable(past)
                            + unit(record));
        }
    }

    private static String readable(long millis) {
        Duration time = Duration.ofMillis(millis);
        return time.toDays() > 0
                ? time.toDays() + " d"
                : time.toHours() > 0 ? time.toHours() + " h " + time.toMinutesPart() + " min" : time.toSeconds() + " s";
    }

    /** Epoch seconds, read as milliseconds, are times of January 1970. */
    private static String unit(Intake record) {
        boolean seconds = Math.abs(record.eventTime - record.arrival / 1000) < Duration.ofDays(3650).toSeconds();
        return seconds ? "; send milliseconds, the number looks like epoch seconds" : "";
    }
}
