package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class JobStateTest {
  private static final List<JobState> ALL =
      List.of(
          new JobState.Draft(),
          new JobState.Signed(),
          new JobState.Matched(),
          new JobState.Funded(),
          new JobState.Running(),
          new JobState.Completed(),
          new JobState.Settled(),
          new JobState.Refused(new Refusal(RefusalCode.BUSY, "full")),
          new JobState.Cancelled(),
          new JobState.Expired(),
          new JobState.Failed("out of memory"),
          new JobState.Disputed("step 3"));

  @Test
  void everyStateIsListed() {
    assertThat(ALL.stream().map(Object::getClass))
        .containsExactlyInAnyOrder(JobState.class.getPermittedSubclasses());
  }

  @Test
  void theDrawingInTheDocsIsTheStateMachine() throws IOException {
    Set<String> drawn = new TreeSet<>();
    var arrow = Pattern.compile("^  (\\w+) --> (\\w+)$", Pattern.MULTILINE);
    var matcher = arrow.matcher(Files.readString(Path.of("../docs/protocol.md")));
    while (matcher.find()) {
      drawn.add((matcher.group(1) + ">" + matcher.group(2)).toLowerCase(Locale.ROOT));
    }
    Set<String> coded = new TreeSet<>();
    for (JobState from : ALL) {
      for (JobState to : ALL) {
        if (from.canBecome(to)) {
          coded.add(from.id() + ">" + to.id());
        }
      }
    }
    assertThat(drawn).isEqualTo(coded);
  }

  @Test
  void finalStatesHaveNoFollower() {
    for (JobState from : ALL) {
      assertThat(ALL.stream().anyMatch(from::canBecome)).as(from.id()).isEqualTo(!from.isFinal());
    }
  }

  @Test
  void anIllegalTransitionNamesBothStates() {
    assertThatThrownBy(() -> new JobState.Draft().become(new JobState.Settled()))
        .hasMessage("a job that is draft cannot become settled");
  }
}
