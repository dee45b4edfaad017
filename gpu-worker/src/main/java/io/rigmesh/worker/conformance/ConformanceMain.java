package io.rigmesh.worker.conformance;

import io.rigmesh.worker.cuda.Accelerator;
import io.rigmesh.worker.cuda.CudaBertRunner;
import io.rigmesh.worker.cuda.CudaStepRunner;
import io.rigmesh.worker.device.Devices;
import io.rigmesh.worker.embed.CpuBertRunner;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.serve.CpuStepRunner;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/// Runs the conformance suite on a backend of this machine: `scalar`, `cpu` or a CUDA device such
/// as `cuda:0`. Prints what fails and a count; ends with status 1 if anything did.
public final class ConformanceMain {
  private static final int USAGE = 2;

  private final PrintStream out;
  private int count;
  private int failed;

  private ConformanceMain(PrintStream out) {
    this.out = out;
  }

  /// One argument: the backend.
  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    if (arguments.length != 1) {
      out.println("Name one backend: scalar, cpu, or a device such as cuda:0.");
      System.exit(USAGE);
    }
    System.exit(new ConformanceMain(out).run(arguments[0]) == 0 ? 0 : 1);
  }

  /// The number of vectors that failed.
  private int run(String backend) {
    if (backend.startsWith("cuda")) {
      try (Accelerator device = Devices.openAccelerator(backend)) {
        StepSuite.load()
            .run(
                (weights, profile) ->
                    new CudaStepRunner(
                        device,
                        weights,
                        profile,
                        new CudaStepRunner.Sizes(
                            StepSuite.PAGES, StepSuite.ROWS_MAX, StepSuite.ROWS_MAX),
                        (bytes, bytesTotal) -> {}),
                StepSuite.Extent.FULL,
                this::note);
        BertSuite.load()
            .run(
                (weights, profile) ->
                    new CudaBertRunner(
                        device, weights, profile, BertSuite.ROWS_MAX, (bytes, bytesTotal) -> {}),
                StepSuite.Extent.FULL,
                this::note);
      }
    } else {
      try (Kernels kernels = kernels(backend)) {
        OpSuite.load().run(kernels, this::note);
        StepSuite.load()
            .run(
                (weights, profile) ->
                    new CpuStepRunner(
                        kernels,
                        weights,
                        profile,
                        new CpuStepRunner.Sizes(
                            StepSuite.PAGES, StepSuite.ROWS_MAX, StepSuite.ROWS_MAX)),
                StepSuite.Extent.FULL,
                this::note);
        BertSuite.load()
            .run(
                (weights, profile) ->
                    new CpuBertRunner(weights, kernels, profile, BertSuite.ROWS_MAX),
                StepSuite.Extent.FULL,
                this::note);
      }
    }
    out.println(backend + ": " + count + " vectors and schedules, " + failed + " failed");
    return failed;
  }

  private static Kernels kernels(String backend) {
    return backend.equals("scalar")
        ? new ScalarKernels()
        : Devices.open(backend, Runtime.getRuntime().availableProcessors());
  }

  private void note(Outcome outcome) {
    count++;
    outcome
        .problem()
        .ifPresent(problem -> {
          failed++;
          out.println("FAILED " + outcome.title() + ": " + problem);
        });
  }
}
