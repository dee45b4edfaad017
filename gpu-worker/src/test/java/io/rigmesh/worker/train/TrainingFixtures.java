package io.rigmesh.worker.train;

import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaFixtures;

/// A tiny run for tests.
final class TrainingFixtures {
  static final LlamaConfig CONFIG = LlamaFixtures.odd(true);
  static final TrainingPlan PLAN = TrainingPlan.usual(17, 12, 3, 11, 3e-3);
  static final int[] TOKENS = LlamaFixtures.learnable(5000, CONFIG.vocabularySize(), 8);

  private TrainingFixtures() {}
}
