package io.rigmesh.worker.kernels;

/// The numbers of one AdamW step (Loshchilov and Hutter, 2019: decoupled weight decay), each
/// rounded to binary32 once.
///
/// @param gradientScale what every gradient is multiplied by first, 1 where it is not clipped
/// @param beta1 the decay of the first moment
/// @param oneMinusBeta1 computed in double
/// @param beta2 the decay of the second moment
/// @param oneMinusBeta2 computed in double
/// @param epsilon added to the denominator
/// @param decay what the parameter is multiplied by first: 1 - learningRate * weightDecay
/// @param stepSize learningRate / (1 - beta1^step)
/// @param rootCorrection 1 / sqrt(1 - beta2^step)
public record AdamW(
    float gradientScale,
    float beta1,
    float oneMinusBeta1,
    float beta2,
    float oneMinusBeta2,
    float epsilon,
    float decay,
    float stepSize,
    float rootCorrection) {

  /// The numbers of step `step` (the first is 1), computed with StrictMath in double.
  public static AdamW step(
      int step,
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      float gradientScale) {
    if (step < 1) {
      throw new IllegalArgumentException("Steps are counted from 1, but this is " + step + ".");
    }
    double correction1 = 1.0 - StrictMath.pow(beta1, step);
    double correction2 = 1.0 - StrictMath.pow(beta2, step);
    return new AdamW(
        gradientScale,
        (float) beta1,
        (float) (1.0 - beta1),
        (float) beta2,
        (float) (1.0 - beta2),
        (float) epsilon,
        (float) (1.0 - learningRate * weightDecay),
        (float) (learningRate / correction1),
        (float) (1.0 / StrictMath.sqrt(correction2)));
  }
}
