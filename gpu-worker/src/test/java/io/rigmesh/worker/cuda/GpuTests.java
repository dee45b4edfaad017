package io.rigmesh.worker.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/// Runs test classes by name, without Maven: what scripts/gpu-check.sh does, also on a machine that
/// has nothing but a GPU. Prints every test with its verdict, then one line `PASSED n SKIPPED n
/// FAILED n`; ends with status 1 if one failed.
public final class GpuTests {
  private static final String WORKER = "io.rigmesh.worker.";

  private GpuTests() {}

  /// The names of the classes below `io.rigmesh.worker`, such as `ptx.ShippedKernelsGpuTest`.
  public static void main(String[] arguments) throws ClassNotFoundException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
    for (String name : arguments) {
      request.selectors(selectClass(Class.forName(WORKER + name)));
    }
    TestExecutionSummary summary = run(request.build(), out);
    summary.printFailuresTo(new PrintWriter(out, true, StandardCharsets.UTF_8), 8);
    out.printf(
        "PASSED %d SKIPPED %d FAILED %d%n",
        summary.getTestsSucceededCount(),
        summary.getTestsSkippedCount() + summary.getTestsAbortedCount(),
        summary.getTestsFailedCount() + summary.getContainersFailedCount());
    System.exit(summary.getTotalFailureCount() == 0 ? 0 : 1);
  }

  private static TestExecutionSummary run(LauncherDiscoveryRequest request, PrintStream out) {
    SummaryGeneratingListener summary = new SummaryGeneratingListener();
    TestExecutionListener progress =
        new TestExecutionListener() {
          @Override
          public void executionFinished(
              TestIdentifier test, org.junit.platform.engine.TestExecutionResult result) {
            if (test.isTest()) {
              out.printf(
                  "%s %s %s%n",
                  result.getStatus(),
                  Arrays.asList(test.getUniqueId().split("/")).getLast(),
                  test.getDisplayName());
            }
          }
        };
    LauncherFactory.create().execute(request, summary, progress);
    return summary.getSummary();
  }
}
