package io.rigmesh.worker.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.tensor.Tensor;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.api.InstanceOfAssertFactories;

/// Linear layers of profile i8-v1: the vector backend has the reference's bits, and the reference
/// those of the definition.
class ByteLinearPropertyTest {

  @Property(tries = 60)
  void theVectorBackendHasTheReferencesBits(
      @ForAll @IntRange(min = 1, max = 27) int rows,
      @ForAll @IntRange(min = 1, max = 400) int in,
      @ForAll @IntRange(min = 1, max = 150) int out,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    agree(values.tensor(rows, in), values.tensor(out, in), values.tensor(out));
  }

  @Property(tries = 3)
  void longSumsAreExact(@ForAll @IntRange(min = 60_000, max = 65_536) int in, @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    agree(values.tensor(3, in), values.tensor(5, in), values.tensor(5));
  }

  @Example
  void rowsThatSaturateReachTheLargestSum() {
    int in = QuantisedRows.COLS_MAX;
    Tensor x = Tensor.zeros(2, in);
    x.rows(0, 1).fill(-3f);
    x.rows(1, 2).fill(0.7f);
    Tensor weight = Tensor.zeros(4, in);
    weight.fill(0.1f);
    agree(x, weight, Tensor.zeros(4));
    Tensor y = Tensor.zeros(2, 4);
    Parity.SCALAR.linear(x, Parity.SCALAR.pack(weight, Profile.I8_V1), y);
    assertThat(y.get(0, 0)).isEqualTo(-(float) (127 * 127 * in) * (3f / 127 * (0.1f / 127)));
  }

  @Example
  void rowsOfZerosAndOfTheSmallestNumbersAgree() {
    Tensor x = Tensor.zeros(6, 70);
    x.rows(1, 2).fill(-0f);
    x.rows(2, 3).fill(Float.MIN_VALUE); // the scale rounds to +0
    x.rows(3, 4).fill(63 * Float.MIN_VALUE);
    x.rows(4, 5).fill(64 * Float.MIN_VALUE); // the scale rounds to the smallest number
    x.rows(5, 6).fill(-190 * Float.MIN_VALUE); // x / scale is limited to -127
    Tensor weight = Tensor.zeros(9, 70);
    weight.fill(0x1p-20f);
    weight.rows(4, 5).fill(0f);
    weight.rows(5, 6).fill(1e38f);
    agree(x, weight, Tensor.zeros(9));
    QuantisedRows quantised = QuantisedRows.of(x);
    assertThat(quantised.scales()[2]).isEqualTo(0f);
    assertThat(quantised.values()[2 * 70]).isZero();
    assertThat(quantised.values()[4 * 70]).isEqualTo((byte) 64);
    assertThat(quantised.values()[5 * 70]).isEqualTo((byte) -127);
  }

  @Property(tries = 200)
  void anElementIsRoundedHalfToEvenOfTheRoundedQuotient(@ForAll long seed) {
    Tensor x = new Parity.Values(seed).tensor(1, 40);
    QuantisedRows quantised = QuantisedRows.of(x);
    float amax = 0f;
    for (int i = 0; i < x.size(); i++) {
      amax = Math.max(amax, Math.abs(x.get(i)));
    }
    float scale = amax / 127f;
    assertThat(quantised.scales()[0]).isEqualTo(scale);
    for (int i = 0; i < x.size() && scale > 0f; i++) {
      BigDecimal exact = new BigDecimal(x.get(i) / scale).setScale(0, RoundingMode.HALF_EVEN);
      int limited = Math.max(-127, Math.min(127, exact.intValueExact()));
      assertThat((int) quantised.values()[i]).isEqualTo(limited);
    }
  }

  @Property(tries = 10)
  void aRowsBitsDoNotDependOnTheRowsBesideIt(
      @ForAll @IntRange(min = 2, max = 9) int rows, @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor x = values.tensor(rows, 130);
    Tensor weight = values.tensor(37, 130);
    for (Kernels kernels : Parity.BYTES) {
      PackedWeight packed = kernels.pack(weight, Profile.I8_V1);
      Tensor together = Tensor.zeros(rows, 37);
      kernels.linear(x, packed, together);
      for (int row = 0; row < rows; row++) {
        Tensor alone = Tensor.zeros(1, 37);
        kernels.linear(x.rows(row, row + 1), packed, alone);
        assertThat(alone.toArray()).containsExactly(together.rows(row, row + 1).toArray());
      }
    }
  }

  @Property(tries = 10)
  void severalLayersOfOneInputHaveTheBitsOfEachAlone(
      @ForAll @IntRange(min = 1, max = 70) int rows, @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor x = values.tensor(rows, 67);
    Tensor first = values.tensor(300, 67);
    Tensor second = values.tensor(5, 67);
    Tensor third = values.tensor(64, 67);
    Tensor bias = values.tensor(5);
    for (Profile profile : Profile.values()) {
      Parity.same(
          Parity.BYTES,
          3,
          (k, y) ->
              k.linear(
                  x,
                  List.of(
                      new Projection(k.pack(first, profile), y[0]),
                      new Projection(k.pack(second, profile), Optional.of(bias), y[1]),
                      new Projection(k.pack(third, profile), y[2]))),
          Parity.shape(rows, 300),
          Parity.shape(rows, 5),
          Parity.shape(rows, 64));
    }
  }

  @Example
  void layersOfOneInputShareAProfile() {
    Tensor x = Tensor.zeros(2, 4);
    Tensor weight = Tensor.zeros(3, 4);
    for (Kernels kernels : Parity.BYTES) {
      List<Projection> mixed =
          List.of(
              new Projection(kernels.pack(weight, Profile.F32_V1), Tensor.zeros(2, 3)),
              new Projection(kernels.pack(weight, Profile.I8_V1), Tensor.zeros(2, 3)));
      assertThatThrownBy(() -> kernels.linear(x, mixed))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("another profile");
    }
  }

  @Example
  void nanAndInfinityAreFoundWhereTheyEnter() {
    Tensor x = Tensor.zeros(40, 70);
    x.fill(1f);
    Tensor weight = x.copy();
    x.set(31 * 70 + 69, Float.NaN);
    x.set(35 * 70, Float.NEGATIVE_INFINITY);
    for (Kernels kernels : Parity.BYTES) {
      refuses(kernels, x, weight);
    }
    refuses(Parity.SCALAR, x, weight);
  }

  private static void refuses(Kernels kernels, Tensor x, Tensor weight) {
    PackedWeight packed = kernels.pack(weight, Profile.I8_V1);
    assertThatThrownBy(() -> kernels.linear(x, packed, Tensor.zeros(40, 40)))
        .asInstanceOf(InstanceOfAssertFactories.type(NonFiniteException.class))
        .satisfies(e -> assertThat(e.op()).isEqualTo("quantise"))
        .satisfies(e -> assertThat(e.index()).isEqualTo(31));
    assertThatThrownBy(() -> kernels.pack(x, Profile.I8_V1))
        .asInstanceOf(InstanceOfAssertFactories.type(NonFiniteException.class))
        .satisfies(e -> assertThat(e.index()).isEqualTo(31));
    Tensor huge = Tensor.zeros(40, 70);
    huge.fill(3e38f);
    PackedWeight hugeWeight = kernels.pack(huge, Profile.I8_V1);
    assertThatThrownBy(() -> kernels.linear(huge, hugeWeight, Tensor.zeros(40, 40)))
        .asInstanceOf(InstanceOfAssertFactories.type(NonFiniteException.class))
        .satisfies(e -> assertThat(e.op()).isEqualTo("linear"))
        .satisfies(e -> assertThat(e.index()).isZero());
  }

  @Example
  void rowsWhoseSumsCouldOverflowAreRefused() {
    Tensor weight = Tensor.zeros(1, QuantisedRows.COLS_MAX + 1);
    assertThatThrownBy(() -> Parity.SCALAR.pack(weight, Profile.I8_V1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("131072");
    assertThatThrownBy(() -> Parity.VECTOR.get(0).pack(weight, Profile.I8_V1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("131072");
  }

  @Example
  void aPackedWeightIsACopyAndKnowsItsProfile() {
    Tensor weight = Tensor.zeros(3, 5);
    for (Kernels kernels : Arrays.asList(Parity.SCALAR, Parity.VECTOR.get(0))) {
      for (Profile profile : Profile.values()) {
        weight.fill(1f);
        PackedWeight packed = kernels.pack(weight, profile);
        weight.fill(2f);
        assertThat(packed.profile()).isEqualTo(profile);
        Tensor y = Tensor.zeros(1, 3);
        kernels.linear(Tensor.of(new float[] {1f, 1f, 1f, 1f, 1f}, 1, 5), packed, y);
        assertThat(y.get(0)).isCloseTo(5f, org.assertj.core.data.Offset.offset(1e-5f));
      }
    }
  }

  private static void agree(Tensor x, Tensor weight, Tensor bias) {
    int[] shape = Parity.shape(x.rowCount(), weight.dim(0));
    Parity.same(Parity.BYTES, 1, (k, y) -> k.linear(x, k.pack(weight, Profile.I8_V1), y[0]), shape);
    Parity.same(
        Parity.BYTES, 1, (k, y) -> k.linear(x, k.pack(weight, Profile.I8_V1), bias, y[0]), shape);
  }
}
