package io.rigmesh.worker.ptx;

import io.rigmesh.worker.cuda.PtxManifest;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The check of every shipped kernel, by its entry point.
final class KernelChecks {
  private static final Map<String, Consumer<KernelStage>> ALL = all();

  private static final Pattern UNCHECKED =
      Pattern.compile("embedding_(f32|bf16|f16)|transpose_.*|argmax|top_.*|sample_.*|peak_.*");

  private KernelChecks() {}

  private static Map<String, Consumer<KernelStage>> all() {
    Map<String, Consumer<KernelStage>> checks = new TreeMap<>();
    ElementChecks.addTo(checks);
    RowChecks.addTo(checks);
    LinearChecks.addTo(checks);
    OneRowChecks.addTo(checks);
    AttentionChecks.addTo(checks);
    PeakChecks.addTo(checks);
    SamplingChecks.addTo(checks);
    EncoderChecks.addTo(checks);
    return checks;
  }

  /// All of them.
  static Map<String, Consumer<KernelStage>> byEntry() {
    return ALL;
  }

  /// The entry points that this build ships.
  static Stream<String> shipped() {
    return PtxManifest.load().modules().stream()
        .flatMap(module -> module.kernels().stream())
        .map(PtxManifest.Kernel::entry);
  }

  /// Those whose result is looked through for NaN and infinity: not copies of weights that were
  /// checked as they were loaded, what begins from logits that the head has looked through, and
  /// what only measures.
  static Stream<String> checking() {
    return shipped().filter(entry -> !UNCHECKED.matcher(entry).matches());
  }

  /// Runs a kernel's check on every kind of finite numbers.
  ///
  /// @param seed of the first kind's numbers; the others' follow it
  static void run(StageDevice device, String entry, long seed) {
    for (Numbers.Kind kind : Numbers.Kind.values()) {
      if (kind.finite()) {
        try (KernelStage stage = new KernelStage(device, entry, kind, seed + kind.ordinal())) {
          ALL.get(entry).accept(stage);
        }
      }
    }
  }

  /// Runs a kernel's check with NaN and infinity in each of its inputs; gives how often the
  /// reference found them, and the kernel said the same.
  static int runNotFinite(StageDevice device, String entry) {
    int reports = 0;
    for (Numbers.Kind kind : Numbers.Kind.values()) {
      boolean reached = !kind.finite();
      for (int seed = 0; seed < Numbers.DRAWN_MAX && reached; seed++) {
        try (KernelStage stage = new KernelStage(device, entry, kind, seed)) {
          ALL.get(entry).accept(stage);
          reports += stage.reported() ? 1 : 0;
          reached = stage.numbers().reached();
        }
      }
    }
    return reports;
  }
}
