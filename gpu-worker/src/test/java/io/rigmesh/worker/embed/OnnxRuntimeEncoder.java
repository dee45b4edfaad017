package io.rigmesh.worker.embed;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The oracle and the peer: ONNX Runtime on the same export, with mean pooling over real tokens and
/// normalisation.
public final class OnnxRuntimeEncoder implements AutoCloseable {

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;

  /// @param threads how many threads one run uses
  public OnnxRuntimeEncoder(byte[] onnx, int threads) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      this.session = environment.createSession(onnx, options);
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The vectors of sentences run as one batch, padded to the longest as ONNX Runtime needs it.
  public List<float[]> embed(List<int[]> sequences) {
    int batch = sequences.size();
    int length = sequences.stream().mapToInt(ids -> ids.length).max().orElseThrow();
    long[] ids = new long[batch * length];
    long[] mask = new long[batch * length];
    for (int b = 0; b < batch; b++) {
      int[] sequence = sequences.get(b);
      for (int i = 0; i < sequence.length; i++) {
        ids[b * length + i] = sequence[i];
        mask[b * length + i] = 1;
      }
    }
    long[] shape = {batch, length};
    try (OnnxTensor inputIds = OnnxTensor.createTensor(environment, LongBuffer.wrap(ids), shape);
        OnnxTensor attentionMask =
            OnnxTensor.createTensor(environment, LongBuffer.wrap(mask), shape);
        OnnxTensor types =
            OnnxTensor.createTensor(environment, LongBuffer.wrap(new long[batch * length]), shape);
        OrtSession.Result result =
            session.run(
                Map.of(
                    "input_ids", inputIds,
                    "attention_mask", attentionMask,
                    "token_type_ids", types))) {
      FloatBuffer hidden = ((OnnxTensor) result.get(0)).getFloatBuffer();
      int columns = hidden.capacity() / (batch * length);
      List<float[]> vectors = new ArrayList<>();
      for (int b = 0; b < batch; b++) {
        vectors.add(pooled(hidden, b * length, sequences.get(b).length, columns));
      }
      return vectors;
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  private static float[] pooled(FloatBuffer hidden, int row, int rows, int columns) {
    float[] sum = new float[columns];
    for (int r = row; r < row + rows; r++) {
      for (int c = 0; c < columns; c++) {
        sum[c] += hidden.get(r * columns + c);
      }
    }
    double squares = 0;
    for (float value : sum) {
      squares += (double) value * value;
    }
    // The mean's divisor cancels in the normalisation.
    float norm = (float) Math.sqrt(squares);
    for (int c = 0; c < columns; c++) {
      sum[c] /= norm;
    }
    return sum;
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
