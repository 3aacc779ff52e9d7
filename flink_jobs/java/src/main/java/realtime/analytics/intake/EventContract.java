package realtime.analytics.intake;

import java.io.Serializable;

/** What an application may set of what an event is: how far its time may be off, and which fields a team has added. */
public final class EventContract implements Serializable {
    private static final long serialVersionUID = 1L;

    private final Tolerance tolerance;
    private final OwnFields own;

    public EventContract(Tolerance tolerance, OwnFields own) {
        this.tolerance = tolerance;
        this.own = own;
    }

    /** How far event_time may be from the arrival. */
    public Tolerance tolerance() {
        return tolerance;
    }

    OwnFields own() {
        return own;
    }
}
