package realtime.analytics.intake;

/** Why a record is not accepted: the closed list of contracts/rejections.py, against which it is tested. */
public enum Reason {
    MALFORMED("malformed"),
    MISSING_FIELD("missing_field"),
    INVALID_TIME("invalid_time"),
    INVALID_TYPE("invalid_type"),
    OUT_OF_RANGE("out_of_range"),
    FUTURE("future"),
    PAST("past"),
    LATE("late"),
    LATE_AFTER_IDLE("late_after_idle"),
    DUPLICATE("duplicate"),
    RULE_FAILED("rule_failed");

    public final String code;

    Reason(String code) {
        this.code = code;
    }

    /** The reason of that code, or null for any other text. */
    public static Reason of(String code) {
        for (Reason reason : values()) {
            if (reason.code.equals(code)) {
                return reason;
            }
        }
        return null;
    }
}
