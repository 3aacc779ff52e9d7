package realtime.analytics.jobs;

import java.util.Arrays;

/** The moments of the last slices of one event type, oldest first. A Flink POJO. */
public class Baseline {
    public long[] starts = new long[0];
    public long[] counts = new long[0];
    public double[] means = new double[0];
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
            means = Arrays.copyOfRange(means, keep, means.length);
            squares = Arrays.copyOfRange(squares, keep, squares.length);
        }
    }

    void append(long start, Moments moments) {
        int at = starts.length;
        starts = Arrays.copyOf(starts, at + 1);
        counts = Arrays.copyOf(counts, at + 1);
        means = Arrays.copyOf(means, at + 1);
        squares = Arrays.copyOf(squares, at + 1);
        starts[at] = start;
        counts[at] = moments.count;
        means[at] = moments.mean;
        squares[at] = moments.squares;
    }

    /** All slices merged, always oldest first, so that the result is a function of the slices alone. */
    Moments merged() {
        Moments all = new Moments();
        for (int i = 0; i < starts.length; i++) {
            all.merge(counts[i], means[i], squares[i]);
        }
        return all;
    }

    boolean isEmpty() {
        return starts.length == 0;
    }
}
