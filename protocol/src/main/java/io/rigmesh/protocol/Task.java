package io.rigmesh.protocol;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is to be computed, with its settings. A task and its parameter list are two views of one
/// value: the list is sorted by name, names every setting but options that are as if they were not
/// there, and spells each value in one way.
public sealed interface Task {
  /// Which of the three it is.
  JobKind kind();

  /// Every setting, sorted by name.
  List<Parameter> parameters();

  /// Reads a task from its kind and parameters.
  ///
  /// @throws MalformedException if a setting is missing, unknown, out of range, misspelt, or out of
  ///   order
  static Task of(JobKind kind, List<Parameter> parameters) {
    Settings settings = new Settings(kind, parameters);
    Task task =
        switch (kind) {
          case TRAIN -> Train.read(settings);
          case GENERATE -> Generate.read(settings);
          case EMBED -> new Embed();
        };
    settings.end();
    if (!task.parameters().equals(parameters)) {
      throw new MalformedException(
          "parameters of a " + kind.id() + " job stand sorted by name: " + task.parameters());
    }
    return task;
  }

  /// Train a language model: either on from the job's model, or from scratch when [#architecture()]
  /// is given (then the job's model root is zero and a tokenizer is trained on the input first).
  ///
  /// @param steps optimiser steps, 1 to 1,000,000
  /// @param batch sequences per step, 1 to 1,024
  /// @param context tokens per sequence, 2 to 8,192
  /// @param learningRate the peak learning rate, after the warm-up and before the cosine decay
  /// @param warmupSteps steps of linear warm-up
  /// @param weightDecay decoupled weight decay (AdamW), on matrices only
  /// @param clipNorm the largest global gradient norm
  /// @param checkpointEverySteps steps between two committed checkpoints
  /// @param milestones in how many parts the job is proven and paid, each ending with a committed
  ///   checkpoint: 1 to 64, and no more than there are checkpoints
  /// @param architecture the shape of a new model, or empty to go on from the job's model
  record Train(
      int steps,
      int batch,
      int context,
      float learningRate,
      int warmupSteps,
      float weightDecay,
      float clipNorm,
      int checkpointEverySteps,
      int milestones,
      Optional<Architecture> architecture)
      implements Task {
    /// Checks that every milestone has a checkpoint to end with.
    public Train {
      if (milestones < 1
          || milestones > Acceptance.MILESTONES_MAX
          || milestones > checkpoints(steps, checkpointEverySteps)) {
        throw new MalformedException(
            "%d steps with a checkpoint every %d are proven in 1 to %d milestones, not %d"
                .formatted(
                    steps,
                    checkpointEverySteps,
                    Math.min(Acceptance.MILESTONES_MAX, checkpoints(steps, checkpointEverySteps)),
                    milestones));
      }
    }

    /// Proven and paid in one part, at its end.
    public Train(
        int steps,
        int batch,
        int context,
        float learningRate,
        int warmupSteps,
        float weightDecay,
        float clipNorm,
        int checkpointEverySteps,
        Optional<Architecture> architecture) {
      this(
          steps,
          batch,
          context,
          learningRate,
          warmupSteps,
          weightDecay,
          clipNorm,
          checkpointEverySteps,
          1,
          architecture);
    }

    @Override
    public JobKind kind() {
      return JobKind.TRAIN;
    }

    /// The step that a milestone ends with: that of checkpoint `ceil(milestone * checkpoints /
    /// milestones)`, so that the parts are as equal as checkpoints allow and the last ends the job.
    ///
    /// @param milestone from 1
    public int milestoneStep(int milestone) {
      if (milestone < 1 || milestone > milestones) {
        throw new IllegalArgumentException(
            "a milestone of this job is one of 1 to " + milestones + ", not " + milestone);
      }
      long checkpoint =
          Math.ceilDiv(
              milestone * (long) checkpoints(steps, checkpointEverySteps), (long) milestones);
      return (int) Math.min(steps, checkpoint * checkpointEverySteps);
    }

    /// How many states are committed: one every so many steps, and the last.
    private static int checkpoints(int steps, int every) {
      return Math.ceilDiv(steps, every);
    }

    @Override
    public List<Parameter> parameters() {
      List<Parameter> list = new ArrayList<>();
      list.add(new Parameter("batch", Integer.toString(batch)));
      list.add(new Parameter("checkpointEverySteps", Integer.toString(checkpointEverySteps)));
      list.add(new Parameter("clipNorm", Decimals.spell(clipNorm)));
      list.add(new Parameter("context", Integer.toString(context)));
      list.add(new Parameter("learningRate", Decimals.spell(learningRate)));
      if (milestones > 1) {
        list.add(new Parameter("milestones", Integer.toString(milestones)));
      }
      list.add(new Parameter("steps", Integer.toString(steps)));
      list.add(new Parameter("warmupSteps", Integer.toString(warmupSteps)));
      list.add(new Parameter("weightDecay", Decimals.spell(weightDecay)));
      architecture.ifPresent(a -> a.write(list));
      list.sort(Comparator.comparing(Parameter::name));
      return List.copyOf(list);
    }

    private static Train read(Settings s) {
      return new Train(
          s.integer("steps", 1, 1_000_000),
          s.integer("batch", 1, 1_024),
          s.integer("context", 2, 8_192),
          s.real("learningRate", 0f, 10f),
          s.integer("warmupSteps", 0, 1_000_000),
          s.real("weightDecay", 0f, 1f),
          s.real("clipNorm", 1e-6f, 1e6f),
          s.integer("checkpointEverySteps", 1, 1_000_000),
          s.has("milestones") ? s.integer("milestones", 2, Acceptance.MILESTONES_MAX) : 1,
          s.has("layers") ? Optional.of(Architecture.read(s)) : Optional.empty());
    }
  }

  /// The shape of a new Llama-architecture language model with tied embeddings.
  ///
  /// @param layers decoder layers, 1 to 128
  /// @param dim width of the residual stream
  /// @param heads query heads; divides `dim` into an even head width
  /// @param kvHeads key and value heads; divides `heads`
  /// @param ffnDim inner width of the feed-forward layers
  /// @param vocabulary entries of the tokenizer to train, 257 to 65,536
  record Architecture(int layers, int dim, int heads, int kvHeads, int ffnDim, int vocabulary) {
    /// Checks how the numbers fit together.
    public Architecture {
      if (heads < 1 || dim % heads != 0 || (dim / heads) % 2 != 0) {
        throw new MalformedException(
            "heads must divide dim into an even head width; " + dim + " / " + heads + " does not");
      }
      if (kvHeads < 1 || heads % kvHeads != 0) {
        throw new MalformedException("kvHeads must divide heads: " + heads + " / " + kvHeads);
      }
    }

    private void write(List<Parameter> list) {
      list.add(new Parameter("dim", Integer.toString(dim)));
      list.add(new Parameter("ffnDim", Integer.toString(ffnDim)));
      list.add(new Parameter("heads", Integer.toString(heads)));
      list.add(new Parameter("kvHeads", Integer.toString(kvHeads)));
      list.add(new Parameter("layers", Integer.toString(layers)));
      list.add(new Parameter("vocabulary", Integer.toString(vocabulary)));
    }

    private static Architecture read(Settings s) {
      return new Architecture(
          s.integer("layers", 1, 128),
          s.integer("dim", 2, 16_384),
          s.integer("heads", 1, 256),
          s.integer("kvHeads", 1, 256),
          s.integer("ffnDim", 1, 65_536),
          s.integer("vocabulary", 257, 65_536));
    }
  }

  /// Continue a prompt.
  ///
  /// @param maxTokens tokens to make at most, 1 to 131,072
  /// @param temperature 0 for greedy, otherwise the divisor of the logits, at most 10
  /// @param topK sample among the k likeliest only; 0 for all
  /// @param topP sample among the likeliest whose probabilities sum to p; 1 for all
  /// @param options what most jobs leave as it is
  record Generate(int maxTokens, float temperature, int topK, float topP, GenerateOptions options)
      implements Task {
    /// How many tokens a model's chat template may add of its own: headers around each message and
    /// a standing introduction of a thousand words, which is more than any common model's.
    public static final int TEMPLATE_TOKENS_MAX = 2048;

    /// The begin token and the space that some tokenizers put before a text.
    private static final int ADDED_TOKENS_MAX = 2;

    /// Without options.
    public Generate(int maxTokens, float temperature, int topK, float topP) {
      this(maxTokens, temperature, topK, topP, GenerateOptions.NONE);
    }

    @Override
    public JobKind kind() {
      return JobKind.GENERATE;
    }

    @Override
    public List<Parameter> parameters() {
      List<Parameter> list = new ArrayList<>();
      list.add(new Parameter("maxTokens", Integer.toString(maxTokens)));
      list.add(new Parameter("temperature", Decimals.spell(temperature)));
      list.add(new Parameter("topK", Integer.toString(topK)));
      list.add(new Parameter("topP", Decimals.spell(topP)));
      options.write(list);
      list.sort(Comparator.comparing(Parameter::name));
      return List.copyOf(list);
    }

    /// The most tokens that the prompt may have, which is what a price is reckoned from before
    /// anyone has a tokenizer at hand: one of each byte, and what is added around them. An engine
    /// refuses a prompt of more, so that no provider asks for what a requester takes for a lie.
    ///
    /// @param inputBytes the input blob's length
    public long promptTokensMax(long inputBytes) {
      return Math.addExact(
          inputBytes, ADDED_TOKENS_MAX + (options.chat() ? TEMPLATE_TOKENS_MAX : 0));
    }

    private static Generate read(Settings s) {
      return new Generate(
          s.integer("maxTokens", 1, 131_072),
          s.real("temperature", 0f, 10f),
          s.integer("topK", 0, 1_000_000),
          s.real("topP", 1e-6f, 1f),
          GenerateOptions.read(s));
    }
  }

  /// Turn each line of the input into a vector, pooled and normalised as the model's own folder
  /// says.
  record Embed() implements Task {
    @Override
    public JobKind kind() {
      return JobKind.EMBED;
    }

    @Override
    public List<Parameter> parameters() {
      return List.of();
    }
  }

  /// The parameters while they are read.
  final class Settings {
    private final JobKind kind;
    private final Map<String, String> values = new HashMap<>();

    Settings(JobKind kind, List<Parameter> parameters) {
      this.kind = kind;
      for (Parameter p : parameters) {
        if (values.put(p.name(), p.value()) != null) {
          throw new MalformedException("the parameter " + p.name() + " stands twice");
        }
      }
    }

    boolean has(String name) {
      return values.containsKey(name);
    }

    int integer(String name, int min, int max) {
      return Decimals.integer(take(name), min, max, name);
    }

    float real(String name, float min, float max) {
      return Decimals.real(take(name), min, max, name);
    }

    /// A decimal that may be negative.
    float signed(String name, float min, float max) {
      return Decimals.signed(take(name), min, max, name);
    }

    String take(String name) {
      String value = values.remove(name);
      if (value == null) {
        throw new MalformedException("a " + kind.id() + " job needs the parameter " + name);
      }
      return value;
    }

    void end() {
      if (!values.isEmpty()) {
        throw new MalformedException(
            "a " + kind.id() + " job has no parameter " + values.keySet().iterator().next());
      }
    }
  }
}
