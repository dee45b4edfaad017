package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class GenerateOptionsTest {
  private static final GenerateOptions ALL =
      new GenerateOptions(
          true,
          0.05f,
          1.1f,
          -0.5f,
          2f,
          new TreeMap<>(Map.of(7, 2.5f, 50, -100f)),
          List.of("END", "\n\n"),
          OptionalInt.of(0));

  @Test
  void optionsThatChangeNothingStandInNoJob() {
    assertThat(new Task.Generate(4, 0, 0, 1).parameters())
        .extracting(Parameter::name)
        .containsExactly("maxTokens", "temperature", "topK", "topP");
    GenerateOptions negativeZero =
        new GenerateOptions(
            false, -0f, 1f, -0f, -0f, new TreeMap<>(), List.of(), OptionalInt.empty());
    assertThat(negativeZero).isEqualTo(GenerateOptions.NONE);
  }

  @Test
  void everyOptionIsReadBackFromItsOneSpelling() {
    Task.Generate task = new Task.Generate(4, 0.7f, 0, 1, ALL);
    assertThat(task.parameters())
        .containsExactly(
            new Parameter("chat", "true"),
            new Parameter("frequencyPenalty", "2"),
            new Parameter("logitBias", "7:2.5,50:-100"),
            new Parameter("logprobs", "0"),
            new Parameter("maxTokens", "4"),
            new Parameter("minP", "0.05"),
            new Parameter("presencePenalty", "-0.5"),
            new Parameter("repetitionPenalty", "1.1"),
            new Parameter("stop1", "END"),
            new Parameter("stop2", "\n\n"),
            new Parameter("temperature", "0.7"),
            new Parameter("topK", "0"),
            new Parameter("topP", "1"));
    assertThat(Task.of(JobKind.GENERATE, task.parameters())).isEqualTo(task);
    Job job = Samples.job(task, Samples.hash("m"), 1);
    assertThat(Job.fromCanonicalBytes(job.canonicalBytes())).isEqualTo(job);
  }

  @Test
  void anotherSpellingIsRefused() {
    assertRefused("minP", "0");
    assertRefused("minP", "1.5");
    assertRefused("presencePenalty", "-0");
    assertRefused("presencePenalty", "--1");
    assertRefused("frequencyPenalty", "100.5");
    assertRefused("repetitionPenalty", "1");
    assertRefused("logitBias", "50:-100,7:2.5");
    assertRefused("logitBias", "7:2.5,7:2.5");
    assertRefused("logitBias", "7:0.0");
    assertRefused("logitBias", "7");
    assertRefused("chat", "false");
    assertRefused("logprobs", "21");
    assertRefused("stop1", "");
    assertRefused("stop1", "x".repeat(257));
    assertRefused("stop2", "x");
  }

  private static void assertRefused(String name, String value) {
    List<Parameter> parameters = new ArrayList<>(new Task.Generate(4, 0, 0, 1).parameters());
    parameters.add(new Parameter(name, value));
    parameters.sort(Comparator.comparing(Parameter::name));
    assertThatThrownBy(() -> Task.of(JobKind.GENERATE, parameters))
        .as("%s=%s", name, value)
        .isInstanceOf(MalformedException.class);
  }
}
