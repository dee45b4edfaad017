package io.rigmesh.worker.ptx;

import io.rigmesh.worker.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// The element types in which a model's file may hold a weight.
enum Narrow {
  F32,
  BF16,
  F16;

  static Narrow of(String type) {
    return switch (type) {
      case "bf16" -> BF16;
      case "f16" -> F16;
      default -> F32;
    };
  }

  /// The tensor with every element rounded to this type; what would overflow is made finite, what
  /// is infinite stays so.
  Tensor rounded(Tensor tensor) {
    Tensor result = Tensor.zeros(tensor.shape());
    for (int i = 0; i < tensor.size(); i++) {
      float x = tensor.get(i);
      result.set(
          i,
          switch (this) {
            case F32 -> x;
            case BF16 -> Float.intBitsToFloat(Float.floatToRawIntBits(x) & 0xffff0000);
            case F16 ->
                Float.float16ToFloat(
                    Float.floatToFloat16(Float.isInfinite(x) ? x : Math.clamp(x, -60000f, 60000f)));
          });
    }
    return result;
  }

  /// The elements as a file holds them.
  byte[] bytes(Tensor tensor) {
    ByteBuffer buffer =
        ByteBuffer.allocate(tensor.size() * (this == F32 ? 4 : 2)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < tensor.size(); i++) {
      float x = tensor.get(i);
      switch (this) {
        case F32 -> buffer.putFloat(x);
        case BF16 -> buffer.putShort((short) (Float.floatToRawIntBits(x) >>> 16));
        case F16 -> buffer.putShort(Float.floatToFloat16(x));
      }
    }
    return buffer.array();
  }
}
