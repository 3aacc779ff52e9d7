package realtime.analytics.intake;

import java.time.DateTimeException;
import java.time.LocalDate;

/** Reads the contract's event times: ISO 8601, zone-less is UTC, years 1970 to 9999. */
final class EventTimes {
    static final long INVALID = Long.MIN_VALUE;
    static final long MAX_MILLIS = 253402300799999L;

    private EventTimes() {}

    static boolean inRange(long millis) {
        return millis >= 0 && millis <= MAX_MILLIS;
    }

    /**
     * Epoch milliseconds of {@code yyyy-MM-dd(T| )HH:mm[:ss[.f]][[ ](Z|UTC|GMT|+HH[[:]mm])]}, or {@link #INVALID}. A fraction
     * has 1 to 9 digits; what is finer than a millisecond is cut. By hand, because java.time's parser costs more than the
     * rest of the decoder together.
     */
    static long parse(String text) {
        int length = text.length();
        if (length < 16
                || text.charAt(4) != '-'
                || text.charAt(7) != '-'
                || (text.charAt(10) != 'T' && text.charAt(10) != 't' && text.charAt(10) != ' ')
                || text.charAt(13) != ':') {
            return INVALID;
        }
        int year = digits(text, 0, 4);
        int month = digits(text, 5, 7);
        int day = digits(text, 8, 10);
        int hour = digits(text, 11, 13);
        int minute = digits(text, 14, 16);
        int second = 0;
        int millis = 0;
        int at = 16;
        if (at < length && text.charAt(at) == ':') {
            second = digits(text, 17, 19);
            at = 19;
            if (at < length && (text.charAt(at) == '.' || text.charAt(at) == ',')) {
                int from = ++at;
                int scale = 100;
                while (at < length && isDigit(text.charAt(at))) {
                    millis += (text.charAt(at) - '0') * scale;
                    scale /= 10;
                    at++;
                }
                if (at == from || at - from > 9) {
                    return INVALID;
                }
            }
        }
        if (year < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
            return INVALID;
        }
        boolean spaced = at + 1 < length && text.charAt(at) == ' ';
        int offset = offsetMinutes(text, spaced ? at + 1 : at);
        if (offset == Integer.MIN_VALUE) {
            return INVALID;
        }
        long epochDay;
        try {
            epochDay = LocalDate.of(year, month, day).toEpochDay();
        } catch (DateTimeException impossible) {
            return INVALID;
        }
        long result = ((epochDay * 24 + hour) * 60 + minute - offset) * 60_000L + second * 1000L + millis;
        return inRange(result) ? result : INVALID;
    }

    private static int offsetMinutes(String text, int at) {
        int left = text.length() - at;
        if (left == 0) {
            return 0;
        }
        char sign = text.charAt(at);
        if (sign == 'Z' || sign == 'z') {
            return left == 1 ? 0 : Integer.MIN_VALUE;
        }
        if (left == 3 && (text.endsWith("UTC") || text.endsWith("GMT"))) {
            return 0;
        }
        if (sign != '+' && sign != '-') {
            return Integer.MIN_VALUE;
        }
        int hours = digits(text, at + 1, at + 3);
        int minutes;
        if (left == 3) {
            minutes = 0;
        } else if (left == 5) {
            minutes = digits(text, at + 3, at + 5);
        } else if (left == 6 && text.charAt(at + 3) == ':') {
            minutes = digits(text, at + 4, at + 6);
        } else {
            return Integer.MIN_VALUE;
        }
        if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) {
            return Integer.MIN_VALUE;
        }
        int offset = hours * 60 + minutes;
        return sign == '+' ? offset : -offset;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** The number in text[from, to), or -1 where that is not all digits. */
    private static int digits(String text, int from, int to) {
        if (to > text.length()) {
            return -1;
        }
        int number = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (!isDigit(c)) {
                return -1;
            }
            number = number * 10 + (c - '0');
        }
        return number;
    }
}
