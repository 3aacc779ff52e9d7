import org.codelibs.opensearch.runner.OpenSearchRunner;

/**
 * Starts the runner as its own main class does, but tells why when it fails: that one exits with 1 and no word.
 *
 * <p>Run from source (`java -cp "lib/*" OpenSearchServer.java ...`) with the runner's arguments; ends with SIGTERM.
 */
public final class OpenSearchServer {
    private OpenSearchServer() {}

    public static void main(String[] arguments) throws InterruptedException {
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.setMaxHttpPort(-1); // take the port given, without a search that ends at 9299
        Runtime.getRuntime().addShutdownHook(new Thread(() -> closeOrTell(runner)));
        try {
            runner.build(arguments);
        } catch (RuntimeException | Error error) {
            error.printStackTrace();
            System.exit(1);
        }
        Thread.currentThread().join(); // for ever: the process ends by a signal
    }

    private static void closeOrTell(OpenSearchRunner runner) {
        try {
            runner.close();
        } catch (java.io.IOException error) {
            error.printStackTrace();
        }
    }
}
