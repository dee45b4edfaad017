package io.rigmesh.worker.conformance;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.conformance.ConformanceInputs.Kind;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Which golden vectors there are: every operation on every kind of numbers in an odd shape, and in
/// the shapes that are special for it. The scalar reference makes their results.
final class OpPlan {
  private final List<OpVector> vectors = new ArrayList<>();
  private final Kernels scalar = new ScalarKernels();
  private long seed;

  /// All vectors, in the order of the file.
  static List<OpVector> vectors() {
    OpPlan plan = new OpPlan();
    plan.linear();
    plan.rows();
    plan.attention();
    return plan.vectors;
  }

  private void add(String op, Profile profile, Kind kind, Map<String, Integer> sizes) {
    vectors.add(OpSuite.compute(scalar, op, profile, kind, ++seed, sizes));
  }

  private void all(String op, Profile profile, Map<String, Integer> sizes) {
    for (Kind kind : Kind.values()) {
      add(op, profile, kind, sizes);
    }
  }

  private void linear() {
    Map<String, Integer> odd = Map.of("rows", 5, "in", 77, "out", 13);
    for (Profile profile : Profile.values()) {
      all("linear", profile, odd);
      all("linearWithBias", profile, odd);
      for (int k : new int[] {1, 511, 512, 513, 1025, 4096, 65_536}) {
        add("linear", profile, Kind.ORDINARY, Map.of("rows", 2, "in", k, "out", 3));
      }
      add("linear", profile, Kind.SATURATING, Map.of("rows", 2, "in", 65_536, "out", 2));
      add("linear", profile, Kind.ORDINARY, Map.of("rows", 130, "in", 40, "out", 131));
    }
    add("linear", Profile.I8_V1, Kind.SATURATING, Map.of("rows", 2, "in", 131_072, "out", 2));
    all("quantise", Profile.I8_V1, Map.of("rows", 4, "cols", 301));
    all("linearInputGradient", Profile.F32_V1, Map.of("rows", 3, "in", 9, "out", 600));
    all("linearWeightGradient", Profile.F32_V1, Map.of("rows", 1030, "in", 3, "out", 5));
    all("biasGradient", Profile.F32_V1, Map.of("rows", 1030, "cols", 7));
  }

  private void rows() {
    Map<String, Integer> odd = Map.of("rows", 4, "cols", 301);
    for (String op :
        List.of(
            "add",
            "addBias",
            "scale",
            "gelu",
            "tanh",
            "swiglu",
            "swigluBackward",
            "softmax",
            "rmsNorm",
            "rmsNormBackward",
            "layerNorm",
            "argmax",
            "laneSum",
            "laneSumOfSquares",
            "crossEntropy",
            "adamW")) {
      all(op, Profile.F32_V1, odd);
    }
    for (String op : List.of("rmsNorm", "layerNorm", "softmax", "argmax")) {
      for (int cols : new int[] {1, 255, 256, 257, 2048}) {
        add(op, Profile.F32_V1, Kind.ORDINARY, Map.of("rows", 2, "cols", cols));
      }
    }
    Map<String, Integer> gathered = Map.of("rows", 9, "cols", 33, "table", 6);
    all("embedding", Profile.F32_V1, gathered);
    all("embeddingGradient", Profile.F32_V1, gathered);
  }

  private void attention() {
    Map<String, Integer> turned = Map.of("rows", 5, "heads", 3, "headDim", 10, "positions", 4096);
    all("rope", Profile.F32_V1, turned);
    all("ropeBackward", Profile.F32_V1, turned);
    Map<String, Integer> grouped = Map.of("heads", 6, "kvHeads", 2, "headDim", 10);
    all("attention", Profile.F32_V1, with(grouped, "rows", 7, "keys", 45, "window", 0));
    all("attention", Profile.F32_V1, with(grouped, "rows", 7, "keys", 45, "window", 9));
    all("attentionBidirectional", Profile.F32_V1, with(grouped, "rows", 21));
    all("attentionBackward", Profile.F32_V1, with(grouped, "rows", 21));
    Map<String, Integer> small = Map.of("heads", 2, "kvHeads", 1, "headDim", 4);
    for (int keys : new int[] {1, 32, 33, 1024, 1025, 2100}) {
      int rows = Math.min(keys, 3);
      add(
          "attention",
          Profile.F32_V1,
          Kind.ORDINARY,
          with(small, "rows", rows, "keys", keys, "window", 0));
      add(
          "attention",
          Profile.F32_V1,
          Kind.ORDINARY,
          with(small, "rows", rows, "keys", keys, "window", 40));
    }
    add(
        "attention",
        Profile.F32_V1,
        Kind.ORDINARY,
        with(small, "rows", 2, "keys", 2100, "window", 1060));
  }

  private static Map<String, Integer> with(Map<String, Integer> sizes, Object... more) {
    Map<String, Integer> all = new java.util.HashMap<>(sizes);
    for (int i = 0; i < more.length; i += 2) {
      all.put((String) more[i], (Integer) more[i + 1]);
    }
    return all;
  }
}
