package io.rigmesh.libp2p.noise;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PrivateKey;
import java.io.ByteArrayOutputStream;
import java.security.SecureRandom;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class NoisePropertyTest {
  private static final PrivateKey KEY = Ed25519PrivateKey.generate(new SecureRandom());
  private static final NoiseSecurity SECURITY = new NoiseSecurity(KEY, List.of("/m"));

  @Property(tries = 50)
  void whateverIsWrittenArrivesHoweverTheWireIsCut(
      @ForAll @Size(max = 12) List<@IntRange(max = 100_000) Integer> sizes, @ForAll long seed) {
    Random random = new Random(seed);
    NoisePair pair = new NoisePair();
    pair.responder.upgrade(SECURITY, Direction.INBOUND, null);
    pair.initiator.upgrade(SECURITY, Direction.OUTBOUND, null);
    pair.settle(bytes -> 1 + random.nextInt(40));
    ByteArrayOutputStream there = new ByteArrayOutputStream();
    ByteArrayOutputStream back = new ByteArrayOutputStream();
    for (int size : sizes) {
      byte[] content = new byte[size];
      random.nextBytes(content);
      boolean forward = random.nextBoolean();
      NoisePair.End from = forward ? pair.initiator : pair.responder;
      (forward ? there : back).writeBytes(content);
      ByteBuf bytes = from.bytes(content);
      if (random.nextBoolean()) {
        from.channel.writeAndFlush(bytes);
      } else {
        from.channel.write(bytes);
      }
      if (random.nextInt(3) == 0) {
        pair.settle(
            count -> random.nextInt(3) == 0 ? 1 + random.nextInt(4) : random.nextInt(count));
      }
    }
    pair.initiator.channel.flush();
    pair.responder.channel.flush();
    pair.settle(count -> 1 + random.nextInt(count));
    assertThat(pair.responder.received.toByteArray()).isEqualTo(there.toByteArray());
    assertThat(pair.initiator.received.toByteArray()).isEqualTo(back.toByteArray());
    pair.close();
    assertThat(pair.memory.usedBytes()).isZero();
  }

  @Property(tries = 300)
  void anyBytesInAHandshakeFailItOrWaitForMore(
      @ForAll long seed, @ForAll @IntRange(max = 10_000) int count, @ForAll boolean initiates) {
    byte[] garbage = new byte[count];
    new Random(seed).nextBytes(garbage);
    NoisePair pair = new NoisePair();
    NoisePair.End victim = pair.responder;
    victim.upgrade(SECURITY, initiates ? Direction.OUTBOUND : Direction.INBOUND, null);
    victim.channel.writeInbound(Unpooled.wrappedBuffer(garbage));
    victim.channel.close();
    assertThat(victim.session).isCompletedExceptionally();
    assertThat(victim.session.exceptionNow()).isInstanceOf(Libp2pException.class);
    pair.close();
    assertThat(pair.memory.usedBytes()).isZero();
  }
}
