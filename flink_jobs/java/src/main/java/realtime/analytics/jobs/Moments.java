package realtime.analytics.jobs;

import java.util.Arrays;

/**
 * Count, mean and sum of squared deviations of a set of values, numerically stable.
 *
 * <p>Values within a slice by Welford's update, slices by the pairwise formula of Chan, Golub and LeVeque (1983).
 * Nothing is ever subtracted, so a huge value leaves no trace once its slice is out.
 */
final class Moments {
    long count;
    double mean;
    double squares;

    Moments() {}

    Moments(long count, double mean, double squares) {
        this.count = count;
        this.mean = mean;
        this.squares = squares;
    }

    /** Moments of the values; sorts them first, so that their order of arrival does not show. */
    static Moments of(double[] values) {
        Arrays.sort(values);
        Moments moments = new Moments();
        for (double value : values) {
            moments.count++;
            double delta = value - moments.mean;
            moments.mean += delta / moments.count;
            moments.squares += delta * (value - moments.mean);
        }
        return moments;
    }

    void merge(long otherCount, double otherMean, double otherSquares) {
        if (otherCount == 0) {
            return;
        }
        long total = count + otherCount;
        double delta = otherMean - mean;
        double share = (double) otherCount / total;
        squares += otherSquares + delta * delta * count * share;
        mean += delta * share;
        count = total;
    }

    /** Sample deviation; needs two values. */
    double deviation() {
        return Math.sqrt(squares / (count - 1));
    }
}
