package realtime.analytics.jobs;

import java.util.Comparator;

/** Order of texts by code point, as Python and UTF-8 have it; Java's own order is by UTF-16 unit. */
final class Texts {
    static final Comparator<String> BY_CODE_POINT =
            (left, right) -> {
                int length = Math.min(left.length(), right.length());
                for (int i = 0; i < length; i++) {
                    char a = left.charAt(i);
                    char b = right.charAt(i);
                    if (a != b) {
                        boolean aHigh = Character.isSurrogate(a);
                        boolean bHigh = Character.isSurrogate(b);
                        // A surrogate stands for a code point above every other unit.
                        return aHigh == bHigh ? Character.compare(a, b) : aHigh ? 1 : -1;
                    }
                }
                return Integer.compare(left.length(), right.length());
            };

    private Texts() {}
}
