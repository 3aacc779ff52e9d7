package realtime.analytics.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LookAheadTest {
    private static LookAhead opened(long limit) {
        LookAhead lookAhead = new LookAhead(limit);
        lookAhead.open();
        return lookAhead;
    }

    @Test
    void everybodyWaitsBeforeItOpens() throws Exception {
        LookAhead lookAhead = new LookAhead(0);
        assertFalse(lookAhead.isOpen());
        CompletableFuture<Boolean> waited = waiting(lookAhead, 1);
        assertTrue(lookAhead.holds(1));
        lookAhead.open();
        assertTrue(waited.get(30, TimeUnit.SECONDS));
    }

    @Test
    void nobodyWaitsBeforeTheSlowestIsKnown() {
        assertFalse(opened(10).holds(Long.MAX_VALUE));
    }

    @Test
    void zeroIsNoLimit() {
        LookAhead lookAhead = opened(0);
        lookAhead.advance(0);
        assertFalse(lookAhead.holds(Long.MAX_VALUE));
    }

    @Test
    void upToTheLimitIsAllowed() {
        LookAhead lookAhead = opened(10);
        lookAhead.advance(100);
        assertFalse(lookAhead.holds(110));
        assertTrue(lookAhead.holds(111));
    }

    @Test
    void aWaitingReaderGoesOnWhenTheSlowestHasCaughtUp() throws Exception {
        LookAhead lookAhead = opened(10);
        lookAhead.advance(100);
        CompletableFuture<Boolean> waited = waiting(lookAhead, 150);
        lookAhead.advance(139);
        assertFalse(waited.isDone());
        lookAhead.advance(140);
        assertTrue(waited.get(30, TimeUnit.SECONDS));
    }

    @Test
    void stoppingEndsTheWaitWithoutLettingTheRecordGo() throws Exception {
        LookAhead lookAhead = opened(10);
        lookAhead.advance(100);
        CompletableFuture<Boolean> waited = waiting(lookAhead, 150);
        lookAhead.stop();
        assertEquals(false, waited.get(30, TimeUnit.SECONDS));
    }

    private static CompletableFuture<Boolean> waiting(LookAhead lookAhead, long eventTime) {
        CompletableFuture<Boolean> result = new CompletableFuture<>();
        Thread reader =
                new Thread(
                        () -> {
                            try {
                                result.complete(lookAhead.await(eventTime));
                            } catch (InterruptedException unexpected) {
                                result.completeExceptionally(unexpected);
                            }
                        });
        reader.setDaemon(true);
        reader.start();
        return result;
    }
}
