package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Threads, warps and blocks behave as they do on the hardware, and what is undefined there is an
/// error here.
class MachineTest {
  private static final String SHARED = ".shared .align 4 .b8 buf[1024];";

  /// Thread t puts t + 1 into its word of shared memory and reads the word of thread t ^ OTHER.
  private static final String EXCHANGE =
      """
      mov.u32 %r2, buf;
      shl.b32 %r3, %r1, 2;
      add.s32 %r4, %r2, %r3;
      add.s32 %r5, %r1, 1;
      st.shared.u32 [%r4], %r5;
      SYNC
      xor.b32 %r6, %r3, OTHER;
      add.s32 %r6, %r2, %r6;
      ld.shared.u32 %r0, [%r6];
      """;

  private static Snippet exchange(String sync, int other) {
    return new Snippet(
        SHARED, EXCHANGE.replace("SYNC", sync).replace("OTHER", Integer.toString(other * 4)));
  }

  @Test
  void divergedThreadsMeetAgain() {
    Snippet snippet =
        new Snippet(
            """
            and.b32 %r2, %r1, 1;
            setp.eq.s32 %p1, %r2, 0;
            @%p1 bra EVEN;
            mov.u32 %r0, 100;
            bra JOIN;
            EVEN:
            mov.u32 %r0, 200;
            JOIN:
            shfl.sync.bfly.b32 %r3|%p2, %r0, 1, 31, -1;
            add.s32 %r0, %r3, %r1;
            """);
    assertThat(snippet.run(32))
        .isEqualTo(IntStream.range(0, 32).map(t -> (t % 2 == 0 ? 100 : 200) + t).toArray());
  }

  @Test
  void loopsOfDifferentLengthRunToTheirEnds() {
    Snippet snippet =
        new Snippet(
            """
            mov.u32 %r2, 0;
            LOOP:
            setp.gt.s32 %p1, %r2, %r1;
            @%p1 bra DONE;
            add.s32 %r0, %r0, %r2;
            add.s32 %r2, %r2, 1;
            bra.uni LOOP;
            DONE:
            """);
    assertThat(snippet.run(70))
        .isEqualTo(IntStream.range(0, 70).map(t -> t * (t + 1) / 2).toArray());
  }

  @Test
  void barriersOrderWarps() {
    for (boolean backwards : new boolean[] {false, true}) {
      Snippet snippet = exchange("bar.sync 0;", 64);
      snippet.device().backwards(backwards);
      assertThat(snippet.run(128))
          .isEqualTo(IntStream.range(0, 128).map(t -> (t ^ 64) + 1).toArray());
    }
  }

  @Test
  void aMissingBarrierIsARaceOrAnUninitialisedRead() {
    Snippet forwards = exchange("", 64);
    assertThatThrownBy(() -> forwards.run(128))
        .isInstanceOf(PtxException.class)
        .hasMessageContaining("Kernel k")
        .hasMessageContaining("ld.shared.u32 %r0, [%r6]")
        .hasMessageContaining("never written by this block");
    Snippet backwards = exchange("", 64);
    backwards.device().backwards(true);
    assertThatThrownBy(() -> backwards.run(128)).isInstanceOf(PtxException.class);
  }

  @Test
  void threadsOfOneWarpRaceToo() {
    assertThatThrownBy(() -> exchange("", 1).run(32))
        .hasMessageContaining("races with a write by thread 1 of block 0")
        .hasMessageContaining("thread (0, 0, 0)");
    assertThat(exchange("bar.warp.sync -1;", 1).run(32)[0]).isEqualTo(2);
  }

  @Test
  void aWriteAfterOthersReadsIsARace() {
    String body =
        EXCHANGE.replace("SYNC", "bar.sync 0;").replace("OTHER", "256") + "st.shared.u32 [%r4], 7;";
    assertThatThrownBy(() -> new Snippet(SHARED, body).run(128)).hasMessageContaining("races");
    String ordered =
        EXCHANGE.replace("SYNC", "bar.sync 0;").replace("OTHER", "256")
            + "bar.sync 0; st.shared.u32 [%r4], 7;";
    assertThat(new Snippet(SHARED, ordered).run(128)[0]).isEqualTo(65);
  }

  @Test
  void namedBarriersOrderOnlyWhoTakesPart() {
    String pairs =
        """
        shr.u32 %r8, %r1, 6;
        add.s32 %r9, %r8, 1;
        bar.sync %r9, 64;
        """;
    assertThat(exchange(pairs, 32).run(128)[5]).isEqualTo((5 ^ 32) + 1);
    assertThatThrownBy(() -> exchange(pairs, 64).run(128)).isInstanceOf(PtxException.class);
  }

  @Test
  void sharedMemoryOfAnEarlierBlockIsUninitialised() {
    Snippet snippet =
        new Snippet(
            SHARED,
            """
            mov.u32 %r2, %ctaid.x;
            setp.ne.s32 %p1, %r2, 0;
            @%p1 bra READ;
            st.shared.u32 [buf], 5;
            READ:
            ld.shared.u32 %r0, [buf];
            """);
    assertThatThrownBy(() -> snippet.runBlocks(2, 1))
        .hasMessageContaining("never written by this block")
        .hasMessageContaining("block (1, 0, 0)");
  }

  @Test
  void blocksThatWriteOneWordRace() {
    assertThatThrownBy(() -> new Snippet("mov.u32 %r0, 1;").runBlocks(2, 4))
        .hasMessageContaining("races with a write by thread 0 of block 0")
        .hasMessageContaining("byte 0 of out");
  }

  @Test
  void aFenceAndAnAtomicOrderBlocks() {
    String body =
        """
        atom.global.add.u32 %r2, [%rd2], 1;
        setp.ne.u32 %p1, %r2, 0;
        @%p1 bra LAST;
        mov.u32 %r0, 9;
        st.global.u32 [%rd1], %r0;
        FENCE
        atom.global.add.u32 %r2, [%rd2], 1;
        ret;
        LAST:
        ld.global.u32 %r0, [%rd1];
        add.s32 %r0, %r0, 1;
        """;
    assertThat(new Snippet(body.replace("FENCE", "membar.gl;")).runBlocks(2, 1, 0)[0])
        .isEqualTo(10);
    assertThatThrownBy(() -> new Snippet(body.replace("FENCE", "")).runBlocks(2, 1, 0))
        .hasMessageContaining("races");
  }

  @Test
  void aConstantLoadOfWhatTheLaunchWroteIsAnError() {
    assertThatThrownBy(
            () -> new Snippet("st.global.u32 [%rd1], 3; ld.global.nc.u32 %r0, [%rd1];").run(1))
        .hasMessageContaining("read as constant");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ld.global.u32 %r0, [%rd2+8]      | byte 8 of in, which has 8
          ld.global.u32 %r0, [%rd2+-4]     | bytes behind out, which has 4
          ld.global.u32 %r0, [%rd2+2]      | is no multiple of 4
          ld.global.v2.u32 {%r0, %r2}, [%rd2+4] | is no multiple of 8
          ld.global.u32 %r0, [%rd1]        | byte 0 of out was never written
          ld.shared.u32 %r0, [2000]        | shared address 2000
          ld.shared.u32 %r0, [buf+1024]    | shared address 1024
          st.global.u32 [%rd1+4], %r0      | byte 4 of out
          ld.param.u64 %rd4, [in+8]        | parameter address 16
          """)
  void everyAccessIsChecked(String instruction, String message) {
    assertThatThrownBy(() -> new Snippet(SHARED, instruction.strip() + ";").run(1, 1, 2))
        .isInstanceOf(PtxException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("thread (0, 0, 0)");
  }

  @Test
  void threadsThatWaitForEachOtherAreFound() {
    Snippet barrier =
        new Snippet("setp.lt.u32 %p1, %r1, 32;\n@%p1 bar.sync 1, 64;\n@!%p1 bar.sync 2, 64;");
    assertThatThrownBy(() -> barrier.run(64)).hasMessageContaining("wait for each other for ever");
    Snippet shuffle =
        new Snippet(
            """
            setp.lt.u32 %p1, %r1, 16;
            @%p1 shfl.sync.idx.b32 %r2, %r1, 0, 31, -1;
            @!%p1 bar.sync 0;
            """);
    assertThatThrownBy(() -> shuffle.run(32)).hasMessageContaining("shfl.sync.idx");
  }

  @Test
  void endedThreadsAreWaitedForNoLonger() {
    Snippet snippet =
        new Snippet(
            """
            setp.lt.u32 %p1, %r1, 40;
            mov.u32 %r0, 3;
            @%p1 bra GO;
            st.global.u32 [%rd1], %r0;
            ret;
            GO:
            bar.sync 0;
            """);
    assertThat(snippet.run(128)).containsOnly(3);
  }

  @Test
  void reductionsOfABarrier() {
    Snippet snippet =
        new Snippet(
            """
            setp.eq.u32 %p1, %r1, 77;
            bar.red.or.pred %p2, 0, %p1;
            bar.red.and.pred %p3, 0, !%p1;
            bar.red.popc.u32 %r2, 0, !%p1;
            selp.u32 %r0, 1000, 0, %p2;
            selp.u32 %r3, 5000, 0, %p3;
            add.s32 %r0, %r0, %r3;
            add.s32 %r0, %r0, %r2;
            """);
    assertThat(snippet.run(128)).containsOnly(1127);
  }

  @Test
  void shufflesStayInTheirSegments() {
    int[] down = new Snippet("shfl.sync.down.b32 %r0, %r1, 3, 6175, -1;").run(32);
    assertThat(down).isEqualTo(IntStream.range(0, 32).map(t -> t % 8 < 5 ? t + 3 : t).toArray());
    int[] up = new Snippet("shfl.sync.up.b32 %r0, %r1, 4, 0, -1;").run(32);
    assertThat(up).isEqualTo(IntStream.range(0, 32).map(t -> t < 4 ? t : t - 4).toArray());
    int[] index = new Snippet("shfl.sync.idx.b32 %r0, %r1, 9, 31, -1;").run(32);
    assertThat(index).containsOnly(9);
  }

  @Test
  void votesMatchesAndReductionsOfAWarp() {
    Snippet snippet =
        new Snippet(
            """
            setp.lt.u32 %p1, %r1, 5;
            vote.sync.ballot.b32 %r2, %p1, -1;
            vote.sync.any.pred %p2, %p1, -1;
            vote.sync.all.pred %p3, %p1, -1;
            and.b32 %r4, %r1, 3;
            match.any.sync.b32 %r5, %r4, -1;
            popc.b32 %r5, %r5;
            redux.sync.max.s32 %r6, %r1, -1;
            selp.u32 %r7, 100, 0, %p2;
            selp.u32 %r8, 1000, 0, %p3;
            add.s32 %r0, %r2, %r5; add.s32 %r0, %r0, %r6;
            add.s32 %r0, %r0, %r7; add.s32 %r0, %r0, %r8;
            """);
    assertThat(snippet.run(32)).containsOnly(31 + 8 + 31 + 100);
  }

  @Test
  void atomicsCountEveryThread() {
    Snippet snippet =
        new Snippet(
            SHARED,
            """
            setp.eq.u32 %p1, %r1, 0;
            @%p1 st.shared.u32 [buf], 0;
            bar.sync 0;
            atom.shared.add.u32 %r2, [buf], %r1;
            bar.sync 0;
            ld.shared.u32 %r0, [buf];
            """);
    assertThat(snippet.run(100)).containsOnly(4950);
  }

  @Test
  void localMemoryBelongsToItsThread() {
    Snippet snippet =
        new Snippet(
            ".local .align 8 .b8 mine[64];",
            """
            mov.u64 %rd5, mine;
            cvta.local.u64 %rd6, %rd5;
            st.local.u32 [%rd5+8], %r1;
            ld.u32 %r0, [%rd6+8];
            """);
    assertThat(snippet.run(40)).isEqualTo(IntStream.range(0, 40).toArray());
  }

  @Test
  void bytesAndHalvesExtendAsTheirTypesSay() {
    Snippet snippet =
        new Snippet(
            """
            ld.global.s8 %r2, [%rd2+1];
            ld.global.u8 %r3, [%rd2+1];
            ld.global.s16 %r4, [%rd2+2];
            ld.global.u16 %rs1, [%rd2+2];
            cvt.u32.u16 %r5, %rs1;
            add.s32 %r0, %r2, %r3;
            add.s32 %r0, %r0, %r4;
            add.s32 %r0, %r0, %r5;
            """);
    assertThat(snippet.run(1, 0xfffe80aa)[0]).isEqualTo(-128 + 128 - 2 + 65534);
  }

  @Test
  void millionsOfInstructionsRunInASecond() {
    String loop =
        """
        mov.u32 %r2, 0;
        mov.f32 %f1, 0f3F800000;
        mov.f32 %f2, 0f00000000;
        LOOP:
        fma.rn.f32 %f2, %f1, %f1, %f2;
        mul.rn.f32 %f3, %f2, %f1;
        add.s32 %r2, %r2, 1;
        setp.lt.s32 %p1, %r2, 4000;
        @%p1 bra LOOP;
        mov.b32 %r0, %f3;
        """;
    long begin = System.nanoTime();
    assertThat(new Snippet(loop).run(256)).containsOnly(Float.floatToRawIntBits(4000f));
    // 5.1 million instructions; measured in half a second. A busy machine may take ten times that,
    // and an interpreter that is a hundred times slower would hurt.
    assertThat(System.nanoTime() - begin).isLessThan(30_000_000_000L);
  }
}
