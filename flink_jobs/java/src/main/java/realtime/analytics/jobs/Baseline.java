package realtime.analytics.jobs;

import java.util.Arrays;

/** The moments of the last slices of one event type, oldest first. A Flink POJO. */
public class Baseline {
    public long[] starts = new long[0];
    public long[] counts = new long[0];
    public double[] shifts = new double[0];
    public double[] offsets = new double[0];
    public double[] squares = new double[0];

    public Baseline() {}

    /** Forgets the slices that start before {@code from}, epoch milliseconds. */
    void forgetBefore(long from) {
        int keep = 0;
        while (keep < starts.length && starts[keep] < from) {
            keep++;
        }
        if (keep > 0) {
            starts = Arrays.copyOfRange(starts, keep, starts.length);
            counts = Arrays.copyOfRange(counts, keep, counts.length);
            shifts = Arrays.copyOfRange(shifts, keep, shifts.length);
            offsets = Arrays.copyOfRange(offsets, keep, offsets.length);
            squares = Arrays.copyOfRange(squares, keep, squares.length);
        }
    }

    void append(long start, Moments moments) {
        int at = starts.length;
        starts = Arrays.copyOf(starts, at + 1);
        counts = Arrays.copyOf(counts, at + 1);
        shifts = Arrays.copyOf(shifts, at + 1);
        offsets = Arrays.copyOf(offsets, at + 1);
        squares = Arrays.copyOf(squares, at + 1);
        starts[at] = start;
        counts[at] = moments.count;
        shifts[at] = moments.shift;
        offsets[at] = moments.offset;
        squares[at] = moments.squares;
    }

    /** All slices merged, always oldest first, so that the result is a function of the slices alone. */
    Moments merged() {
        Moments all = new Moments();
        for (int i = 0; i < starts.length; i++) {
            all.merge(new Moments(counts[i], shifts[i], offsets[i], squares[i]));
        }
        return all;
    }

    boolean isEmpty() {
        return starts.length == 0;
    }
}
