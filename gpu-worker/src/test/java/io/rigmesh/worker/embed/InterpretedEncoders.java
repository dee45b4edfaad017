package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.cuda.Accelerator;
import io.rigmesh.worker.cuda.CudaBertRunner;
import io.rigmesh.worker.cuda.CudaStepRunner;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.StepRunner;

/// Encoders on a device that interprets PTX, which wants few pages and rows.
record InterpretedEncoders(Accelerator device) implements EncoderLoader {
  private static final int PAGES = 8;

  @Override
  public StepRunner decoder(LlamaWeights weights, Profile profile, int pages, int rows) {
    return new CudaStepRunner(
        device,
        weights,
        profile,
        CudaStepRunner.Sizes.forStates(PAGES, rows),
        (bytes, bytesTotal) -> {});
  }

  @Override
  public BertRunner bert(BertWeights weights, Profile profile, int tokensMax) {
    return new CudaBertRunner(device, weights, profile, tokensMax, (bytes, bytesTotal) -> {});
  }
}
