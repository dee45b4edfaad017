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
    plan.sampling();
    plan.pooling();
    plan.rotaryTables();
    plan.more();
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

  private void sampling() {
    Map<String, Integer> plain =
        Map.ofEntries(
            Map.entry("rows", 8),
            Map.entry("cols", 1301),
            Map.entry("temperature", 1000),
            Map.entry("topK", 0),
            Map.entry("topP", 1000),
            Map.entry("minP", 0),
            Map.entry("repetition", 1000),
            Map.entry("presence", 0),
            Map.entry("frequency", 0),
            Map.entry("prompt", 0),
            Map.entry("generated", 0),
            Map.entry("biases", 0),
            Map.entry("position", 5));
    Map<String, Integer> changed =
        with(
            plain,
            "repetition",
            1300,
            "presence",
            400,
            "frequency",
            700,
            "prompt",
            300,
            "generated",
            500,
            "biases",
            200);
    all(
        "sample",
        Profile.F32_V1,
        with(changed, "temperature", 350, "topK", 90, "topP", 800, "minP", 100));
    for (Map<String, Integer> sizes :
        List.of(
            plain,
            with(plain, "temperature", 0),
            with(changed, "temperature", 0),
            with(plain, "temperature", 50),
            with(plain, "topK", 1),
            with(plain, "topK", 513),
            with(plain, "topK", 1301),
            with(plain, "topK", 100_000),
            with(plain, "topP", 950),
            with(plain, "temperature", 100, "topP", 300),
            with(plain, "topP", 1),
            with(plain, "minP", 500),
            with(plain, "temperature", 200, "minP", 50, "topP", 900),
            with(plain, "topK", 700, "topP", 990),
            with(plain, "minP", 1000),
            with(changed, "temperature", 200),
            with(changed, "presence", -1500, "frequency", -100, "repetition", 500),
            with(plain, "position", 1_000_000, "rows", 70))) {
      add("sample", Profile.F32_V1, Kind.ORDINARY, sizes);
    }
    all("topK", Profile.F32_V1, Map.of("rows", 4, "cols", 301, "count", 20));
    all("topK", Profile.F32_V1, Map.of("rows", 4, "cols", 301, "count", 301));
    all("logprob", Profile.F32_V1, Map.of("rows", 4, "cols", 301));
    add("logprob", Profile.F32_V1, Kind.ORDINARY, Map.of("rows", 2, "cols", 1301));
  }

  private void pooling() {
    all("globalNorm", Profile.F32_V1, Map.of("rows", 4, "cols", 301));
    for (String op : List.of("poolMean", "poolFirst", "poolLast")) {
      all(op, Profile.F32_V1, Map.of("rows", 5, "cols", 301, "normalised", 1));
      add(op, Profile.F32_V1, Kind.FAR_APART, Map.of("rows", 6, "cols", 301, "normalised", 0));
    }
    add(
        "poolMean",
        Profile.F32_V1,
        Kind.ORDINARY,
        Map.of("rows", 1030, "cols", 33, "normalised", 1));
    add("poolMean", Profile.F32_V1, Kind.ORDINARY, Map.of("rows", 1, "cols", 1, "normalised", 1));
  }

  /// Numbers that have a fraction are in thousandths.
  private void rotaryTables() {
    Map<String, Integer> plain =
        Map.of("headDim", 64, "theta", 10_000, "positions", 700, "max_position_embeddings", 4096);
    table("ropeTable", plain);
    table(
        "ropeTable",
        with(
            plain,
            "headDim",
            4,
            "positions",
            131_072,
            "max_position_embeddings",
            131_072,
            "theta",
            500_000));
    table("ropeTableLinear", with(plain, "factor", 2500));
    table(
        "ropeTableLlama3",
        with(
            plain,
            "factor",
            8000,
            "low_freq_factor",
            1000,
            "high_freq_factor",
            4000,
            "original_max_position_embeddings",
            512));
    table(
        "ropeTableLlama3",
        with(
            plain,
            "headDim",
            10,
            "factor",
            32_000,
            "low_freq_factor",
            1500,
            "high_freq_factor",
            1750,
            "original_max_position_embeddings",
            8192,
            "theta",
            500_000));
    table("ropeTableYarn", with(plain, "factor", 4000, "original_max_position_embeddings", 1024));
    table("ropeTableYarn", with(plain, "original_max_position_embeddings", 1024));
    table("ropeTableYarn", with(plain, "factor", 3000));
    table("ropeTableYarn", with(plain, "factor", 1000));
    table(
        "ropeTableYarn",
        with(
            plain,
            "factor",
            40_000,
            "original_max_position_embeddings",
            4096,
            "beta_fast",
            16_000,
            "beta_slow",
            2500,
            "truncate",
            0));
    table(
        "ropeTableYarn",
        with(
            plain,
            "factor",
            40_000,
            "original_max_position_embeddings",
            4096,
            "mscale",
            707,
            "mscale_all_dim",
            1000));
    table(
        "ropeTableYarn",
        with(
            plain,
            "factor",
            16_000,
            "original_max_position_embeddings",
            2048,
            "attention_factor",
            850));
    // The two pairs are one, which makes a step of the ramp.
    table(
        "ropeTableYarn",
        with(
            plain,
            "headDim",
            8,
            "factor",
            4000,
            "original_max_position_embeddings",
            6,
            "beta_fast",
            1000,
            "beta_slow",
            1000));
  }

  /// What the vectors above leave out.
  private void more() {
    add(
        "embeddingGradient",
        Profile.F32_V1,
        Kind.OVERFLOWING,
        Map.of("rows", 300, "cols", 33, "table", 3));
    Map<String, Integer> model =
        Map.of(
            "vocabulary",
            31,
            "cols",
            12,
            "layers",
            2,
            "heads",
            4,
            "kvHeads",
            2,
            "headDim",
            6,
            "inner",
            19);
    Map<String, Integer> training = with(model, "batch", 3, "length", 7, "steps", 5);
    add("training", Profile.F32_V1, Kind.ORDINARY, with(training, "tied", 0));
    add("training", Profile.F32_V1, Kind.ORDINARY, with(training, "tied", 1));
  }

  private void table(String op, Map<String, Integer> sizes) {
    add(op, Profile.F32_V1, Kind.ORDINARY, sizes);
  }

  private static Map<String, Integer> with(Map<String, Integer> sizes, Object... more) {
    Map<String, Integer> all = new java.util.HashMap<>(sizes);
    for (int i = 0; i < more.length; i += 2) {
      all.put((String) more[i], (Integer) more[i + 1]);
    }
    return all;
  }
}
