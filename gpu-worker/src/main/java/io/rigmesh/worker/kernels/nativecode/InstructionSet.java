package io.rigmesh.worker.kernels.nativecode;

/// The instructions that the library's loops are compiled for, the fastest first. All give the same
/// bits.
public enum InstructionSet {
  /// VPDPBUSD on 512 bits: Intel since Ice Lake, AMD since Zen 4.
  AVX512_VNNI("avx512-vnni", 0, 128),

  /// VPDPBUSD on 256 bits: Intel since Alder Lake, AMD since Zen 5.
  AVX_VNNI("avx-vnni", 1, 128),

  /// VPMADDUBSW and VPMADDWD on 256 bits: Intel since Haswell, AMD since Excavator.
  AVX2("avx2", 2, 0);

  private final String label;
  private final int number;
  private final int offset;

  InstructionSet(String label, int number, int offset) {
    this.label = label;
    this.number = number;
    this.offset = offset;
  }

  /// Its name in logs and receipts.
  public String label() {
    return label;
  }

  /// Its number in the library (`byte_product.c`).
  int number() {
    return number;
  }

  /// What is added to the bytes of the left operand: VPDPBUSD takes unsigned ones. It is more than
  /// [QuantisedRows#LIMIT], or 0.
  public int offset() {
    return offset;
  }
}
