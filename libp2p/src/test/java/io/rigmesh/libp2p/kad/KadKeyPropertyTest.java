package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class KadKeyPropertyTest {
  @Property
  void theDistanceIsTheXorAsAnUnsignedNumber(
      @ForAll byte[] one, @ForAll byte[] two, @ForAll byte[] three) {
    KadKey target = KadKey.of(one);
    KadKey left = KadKey.of(two);
    KadKey right = KadKey.of(three);
    assertThat(Integer.signum(target.compareDistance(left, right)))
        .isEqualTo(distance(target, left).compareTo(distance(target, right)));
    // Only the point itself is at distance zero, and the order has no ties.
    assertThat(target.compareDistance(left, right) == 0).isEqualTo(left.equals(right));
    assertThat(target.compareDistance(target, left)).isLessThanOrEqualTo(0);
  }

  @Property
  void sharedBitsAreSymmetricAndDecideTheDistance(
      @ForAll byte[] one, @ForAll byte[] two, @ForAll byte[] three) {
    KadKey target = KadKey.of(one);
    KadKey left = KadKey.of(two);
    KadKey right = KadKey.of(three);
    int shared = target.commonPrefix(left);
    assertThat(shared).isEqualTo(left.commonPrefix(target));
    assertThat(shared).isEqualTo(KadKey.BITS - distance(target, left).bitLength());
    if (shared > target.commonPrefix(right)) {
      assertThat(target.compareDistance(left, right)).isNegative();
    }
    // XOR's triangle inequality, by which a lookup's steps add up.
    assertThat(distance(left, right))
        .isLessThanOrEqualTo(distance(left, target).add(distance(target, right)));
  }

  private static BigInteger distance(KadKey left, KadKey right) {
    return number(left).xor(number(right));
  }

  private static BigInteger number(KadKey key) {
    return new BigInteger(
        1,
        ByteBuffer.allocate(32)
            .putLong(key.a())
            .putLong(key.b())
            .putLong(key.c())
            .putLong(key.d())
            .array());
  }
}
