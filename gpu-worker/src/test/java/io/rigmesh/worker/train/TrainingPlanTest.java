package io.rigmesh.worker.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TrainingPlanTest {
  private static final TrainingPlan PLAN =
      new TrainingPlan(1, 110, 2, 8, 1e-2, 1e-3, 10, 0.9, 0.95, 1e-8, 0.1, 1f);

  @Test
  void theRateRisesInAStraightLineThenFallsByACosine() {
    assertThat(PLAN.learningRate(0)).isCloseTo(1e-3, within(1e-12));
    assertThat(PLAN.learningRate(4)).isCloseTo(5e-3, within(1e-12));
    assertThat(PLAN.learningRate(10)).isCloseTo(1e-2, within(1e-12));
    assertThat(PLAN.learningRate(60)).isCloseTo(5.5e-3, within(1e-12));
    assertThat(PLAN.learningRate(110)).isCloseTo(1e-3, within(1e-12));
    for (int step = 12; step < 110; step++) {
      assertThat(PLAN.learningRate(step)).isLessThan(PLAN.learningRate(step - 1));
    }
  }

  @Test
  void aPlanWithoutWarmUpStartsAtTheHighestRate() {
    TrainingPlan plan = new TrainingPlan(1, 5, 1, 1, 1e-2, 0, 0, 0.9, 0.95, 1e-8, 0.1, 1f);
    assertThat(plan.learningRate(0)).isEqualTo(1e-2);
  }

  @Test
  void plansThatCannotBeFollowedAreRefusedByField() {
    assertThatThrownBy(() -> TrainingPlan.usual(1, 0, 2, 8, 1e-3)).hasMessageContaining("steps=0");
    assertThatThrownBy(() -> TrainingPlan.usual(1, 5, 0, 8, 1e-3)).hasMessageContaining("batch=0");
    assertThatThrownBy(() -> TrainingPlan.usual(1, 5, 1 << 15, 1 << 15, 1e-3))
        .hasMessageContaining("batch * length");
    assertThatThrownBy(() -> TrainingPlan.usual(1, 5, 2, 8, Double.NaN))
        .hasMessageContaining("learningRate=NaN");
    assertThatThrownBy(() -> new TrainingPlan(1, 5, 1, 1, 1e-2, 1e-1, 0, 0.9, 0.95, 1e-8, 0.1, 1f))
        .hasMessageContaining("learningRateMin=0.1");
    assertThatThrownBy(() -> new TrainingPlan(1, 5, 1, 1, 1e-2, 0, 6, 0.9, 0.95, 1e-8, 0.1, 1f))
        .hasMessageContaining("warmupSteps=6");
    assertThatThrownBy(() -> new TrainingPlan(1, 5, 1, 1, 1e-2, 0, 0, 1.0, 0.95, 1e-8, 0.1, 1f))
        .hasMessageContaining("beta1=1.0");
    assertThatThrownBy(() -> new TrainingPlan(1, 5, 1, 1, 1e-2, 0, 0, 0.9, 0.95, 1e-8, 0.1, 0f))
        .hasMessageContaining("gradientNormMax=0.0");
  }
}
