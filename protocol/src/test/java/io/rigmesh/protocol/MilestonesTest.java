package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MilestonesTest {
  private static Task.Train task(int steps, int every, int milestones) {
    return new Task.Train(steps, 1, 2, 0.1f, 0, 0f, 1f, every, milestones, Optional.empty());
  }

  @Test
  void aJobOfOnePartDoesNotSaySoAndOneOfSeveralDoes() {
    assertThat(task(200, 50, 1).parameters()).noneMatch(p -> p.name().equals("milestones"));
    assertThat(task(200, 50, 3).parameters()).contains(new Parameter("milestones", "3"));
    for (int milestones : new int[] {1, 2, 4}) {
      Task.Train task = task(200, 50, milestones);
      assertThat(Task.of(JobKind.TRAIN, task.parameters())).isEqualTo(task);
    }
  }

  @Test
  void onePartIsSpelledByLeavingItOut() {
    List<Parameter> list = new ArrayList<>(task(200, 50, 2).parameters());
    list.replaceAll(p -> p.name().equals("milestones") ? new Parameter("milestones", "1") : p);
    assertThatThrownBy(() -> Task.of(JobKind.TRAIN, list))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("milestones");
  }

  @Test
  void moreThanThereAreCheckpointsAreRefusedWithTheNumbers() {
    assertThatThrownBy(() -> task(200, 50, 5))
        .isInstanceOf(MalformedException.class)
        .hasMessage("200 steps with a checkpoint every 50 are proven in 1 to 4 milestones, not 5");
    assertThatThrownBy(() -> task(1_000, 1, 65))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("1 to 64 milestones");
    assertThatThrownBy(() -> task(200, 50, 0)).isInstanceOf(MalformedException.class);
    assertThatThrownBy(() -> task(200, 50, 2).milestoneStep(3))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Property(tries = 300)
  void everyMilestoneEndsWithACheckpointAndTheLastEndsTheJob(
      @ForAll @IntRange(min = 1, max = 5_000) int steps,
      @ForAll @IntRange(min = 1, max = 500) int every,
      @ForAll @IntRange(min = 1, max = 64) int wanted) {
    int checkpoints = Math.ceilDiv(steps, every);
    int milestones = Math.min(wanted, checkpoints);
    Task.Train task = task(steps, every, milestones);
    int before = 0;
    for (int number = 1; number <= milestones; number++) {
      int step = task.milestoneStep(number);
      assertThat(step).isGreaterThan(before);
      assertThat(step % every == 0 || step == steps).isTrue();
      // Nobody is paid for more than it did: a part never ends before its share of the checkpoints.
      assertThat((long) Math.ceilDiv(step, every) * milestones)
          .isGreaterThanOrEqualTo((long) number * checkpoints);
      before = step;
    }
    assertThat(before).isEqualTo(steps);
  }
}
