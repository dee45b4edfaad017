package io.rigmesh.worker.conformance;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;

/// The reference with one fault: the lowest bit of the last element of one result of one operation
/// is another than it should be.
final class FlippedKernels {
  /// How many tensors an operation writes, which are its last arguments; the others write one.
  private static final Map<String, Integer> WRITTEN =
      Map.of(
          "swigluBackward",
          2,
          "rmsNormBackward",
          2,
          "attentionBackward",
          3,
          "adamW",
          3,
          "argmax",
          0,
          "laneSum",
          0,
          "laneSumOfSquares",
          0);

  private FlippedKernels() {}

  /// How many results an operation has.
  static int results(String method) {
    return Math.max(1, WRITTEN.getOrDefault(method, 1));
  }

  /// @param method the operation of [Kernels]
  /// @param result which of its results, from 0
  static Kernels of(String method, int result) {
    Kernels right = new ScalarKernels();
    return (Kernels)
        Proxy.newProxyInstance(
            Kernels.class.getClassLoader(),
            new Class<?>[] {Kernels.class},
            (proxy, called, arguments) -> {
              Object returned = call(right, called, arguments);
              if (!called.getName().equals(method)) {
                return returned;
              }
              return switch (returned) {
                case Float value -> flipped(value);
                case int[] values -> {
                  values[values.length - 1] ^= 1;
                  yield values;
                }
                case null -> {
                  int first = arguments.length - results(method);
                  flip((Tensor) arguments[first + result]);
                  yield null;
                }
                default -> throw new AssertionError(method + " gives " + returned);
              };
            });
  }

  private static Object call(Kernels right, Method called, Object[] arguments) throws Throwable {
    try {
      return called.invoke(right, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static void flip(Tensor tensor) {
    int last = tensor.size() - 1;
    tensor.set(last, flipped(tensor.get(last)));
  }

  private static float flipped(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) ^ 1);
  }
}
