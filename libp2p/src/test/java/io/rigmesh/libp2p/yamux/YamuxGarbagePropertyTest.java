package io.rigmesh.libp2p.yamux;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class YamuxGarbagePropertyTest {
  @Property(tries = 500)
  void anyBytesEitherMeanSomethingOrEndTheConnection(
      @ForAll long seed, @ForAll @IntRange(max = 20_000) int count) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    YamuxFuzz.receive(bytes, new Random(seed));
  }

  @Property(tries = 500)
  void anyFramesEitherMeanSomethingOrEndTheConnection(
      @ForAll long seed, @ForAll @IntRange(max = 300) int frames) {
    Random random = new Random(seed);
    ByteBuf wire = Unpooled.buffer();
    for (int i = 0; i < frames; i++) {
      int type = random.nextInt(random.nextInt(20) == 0 ? 6 : 4);
      int length = random.nextInt(random.nextInt(50) == 0 ? Integer.MAX_VALUE : 2000);
      int id = type > 1 ? 0 : random.nextInt(1, 12);
      Frames.writeHeader(wire, type, random.nextInt(16), id, type == 3 ? 0 : length);
      if (type == Frames.DATA && length < 2000) {
        wire.writeZero(length);
      }
    }
    byte[] bytes = new byte[wire.readableBytes()];
    wire.readBytes(bytes);
    YamuxFuzz.receive(bytes, random);
  }
}
