package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Tensor-core products, fragment loads and asynchronous copies against plain loops.
class MatrixInstructionsTest {
  private static final String KERNEL =
      """
      .version 9.0
      .target sm_90a
      .address_size 64
      .visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c)
      {
      .reg .pred %%p<9>; .reg .b32 %%r<200>; .reg .b64 %%rd<20>;
      .shared .align 1024 .b8 sa[16384];
      .shared .align 1024 .b8 sb[32768];
      .shared .align 8 .b64 bar;
      ld.param.u64 %%rd1, [a];
      ld.param.u64 %%rd2, [b];
      ld.param.u64 %%rd3, [c];
      mov.u32 %%r1, %%tid.x;
      %s
      ret;
      }
      """;

  private final PtxDevice device = new PtxDevice();

  private int[] run(String body, int threads, byte[] a, byte[] b, int results) {
    PtxDevice.Module module = device.load(KERNEL.formatted(body));
    DeviceBuffer left = device.memory().allocate("a", a.length);
    left.write(0, a);
    DeviceBuffer right = device.memory().allocate("b", b.length);
    right.write(0, b);
    DeviceBuffer out = device.memory().allocate("c", results * 4);
    device.launch(module, "k", Extent.of(1), Extent.of(threads), 0, left, right, out);
    return Snippet.words(out.read(0, results * 4));
  }

  private static byte[] random(int count, int seed) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    bytes[0] = -128;
    return bytes;
  }

  /// C `(m, n)` = A `(m, k)` · Bᵀ with B `(n, k)`, all rows of `pitch` bytes.
  private static int[] product(byte[] a, byte[] b, int m, int n, int k, int pitch) {
    int[] c = new int[m * n];
    for (int row = 0; row < m; row++) {
      for (int column = 0; column < n; column++) {
        for (int x = 0; x < k; x++) {
          c[row * n + column] += a[row * pitch + x] * b[column * pitch + x];
        }
      }
    }
    return c;
  }

  @ParameterizedTest
  @CsvSource({"m16n8k32, 16, 32, 4, 2", "m16n8k16, 16, 16, 2, 1", "m8n8k16, 8, 16, 1, 1"})
  void productsOfFragmentsAreExact(String shape, int m, int k, int aRegisters, int bRegisters) {
    // Fragments are loaded byte by place from the layout that the PTX ISA draws: row g (and g + 8),
    // columns 4t.. (and 16 more).
    StringBuilder body = new StringBuilder("shr.u32 %r2, %r1, 2; and.b32 %r3, %r1, 3;\n");
    for (int r = 0; r < aRegisters; r++) {
      int row = m == 16 ? 8 * (r % 2) : 0;
      int column = m == 16 ? 16 * (r / 2) : 16 * r;
      body.append(load(10 + r, 1, "%r2", row, column, k));
    }
    for (int r = 0; r < bRegisters; r++) {
      body.append(load(20 + r, 2, "%r2", 0, 16 * r, k));
    }
    int sums = m / 4;
    body.append(
        IntStream.range(0, sums)
            .mapToObj(r -> "mov.u32 %%r%d, 1000;".formatted(30 + r))
            .collect(Collectors.joining()));
    body.append(
        "mma.sync.aligned.%s.row.col.s32.s8.s8.s32 {%s}, {%s}, {%s}, {%s};\n"
            .formatted(
                shape, list(30, sums), list(10, aRegisters), list(20, bRegisters), list(30, sums)));
    for (int r = 0; r < sums; r++) {
      body.append(
          """
          add.s32 %%r40, %%r2, %d;
          shl.b32 %%r41, %%r3, 1;
          add.s32 %%r41, %%r41, %d;
          mad.lo.s32 %%r42, %%r40, 8, %%r41;
          mul.wide.u32 %%rd5, %%r42, 4;
          add.s64 %%rd5, %%rd5, %%rd3;
          st.global.u32 [%%rd5], %%r%d;
          """
              .formatted(8 * (r / 2), r % 2, 30 + r));
    }
    byte[] a = random(m * k, 1);
    byte[] b = random(8 * k, 2);
    int[] expected = product(a, b, m, 8, k, k);
    assertThat(run(body.toString(), 32, a, b, m * 8))
        .isEqualTo(IntStream.of(expected).map(x -> x + 1000).toArray());
  }

  private static String load(int to, int matrix, String group, int row, int column, int k) {
    return """
    add.s32 %%r40, %s, %d;
    shl.b32 %%r41, %%r3, 2;
    add.s32 %%r41, %%r41, %d;
    mad.lo.s32 %%r42, %%r40, %d, %%r41;
    cvt.u64.u32 %%rd5, %%r42;
    add.s64 %%rd5, %%rd5, %%rd%d;
    ld.global.u32 %%r%d, [%%rd5];
    """
        .formatted(group, row, column, k, matrix, to);
  }

  private static String list(int first, int count) {
    return IntStream.range(first, first + count)
        .mapToObj(r -> "%r" + r)
        .collect(Collectors.joining(", "));
  }

  @Test
  void aProductNeedsTheWholeWarp() {
    String body = "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%r2,%r3},{%r4},{%r5},{%r6,%r7};";
    assertThatThrownBy(() -> run(body, 16, new byte[4], new byte[4], 1))
        .hasMessageContaining("fewer than 32 threads");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".trans"})
  void fragmentsAreLoadedFromSharedMemory(String transposed) {
    // 32 rows of 16 bytes, written by one thread each, then four matrices are loaded.
    String body =
        """
        mov.u32 %r2, sa;
        shl.b32 %r3, %r1, 4;
        add.s32 %r4, %r2, %r3;
        cvt.u64.u32 %rd5, %r3;
        add.s64 %rd5, %rd5, %rd1;
        cp.async.cg.shared.global [%r4], [%rd5], 16;
        cp.async.commit_group;
        cp.async.wait_group 0;
        bar.sync 0;
        ldmatrix.sync.aligned.m8n8.x4TRANS.shared.b16 {%r10,%r11,%r12,%r13}, [%r4];
        shl.b32 %r5, %r1, 4;
        cvt.u64.u32 %rd6, %r5;
        add.s64 %rd6, %rd6, %rd3;
        st.global.v4.u32 [%rd6], {%r10,%r11,%r12,%r13};
        """
            .replace("TRANS", transposed);
    byte[] a = random(512, 3);
    int[] loaded = run(body, 32, a, new byte[4], 128);
    for (int lane = 0; lane < 32; lane++) {
      for (int matrix = 0; matrix < 4; matrix++) {
        int word = loaded[lane * 4 + matrix];
        for (int half = 0; half < 2; half++) {
          int row = transposed.isEmpty() ? lane / 4 : lane % 4 * 2 + half;
          int column = transposed.isEmpty() ? lane % 4 * 2 + half : lane / 4;
          int at = matrix * 128 + row * 16 + column * 2;
          int expected = (a[at] & 0xff) | (a[at + 1] & 0xff) << 8;
          assertThat(word >>> (16 * half) & 0xffff).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void aCopyThatNobodyWaitedForHasNotArrived() {
    String body =
        """
        mov.u32 %r2, sa;
        cp.async.ca.shared.global [%r2], [%rd1], 4;
        WAIT
        ld.shared.u32 %r3, [%r2];
        st.global.u32 [%rd3], %r3;
        """;
    assertThat(
            run(
                body.replace("WAIT", "cp.async.wait_all;"),
                1,
                new byte[] {1, 0, 0, 0},
                new byte[4],
                1))
        .containsExactly(1);
    assertThatThrownBy(() ->
            run(body.replace("WAIT", "cp.async.commit_group;"), 1, new byte[4], new byte[4], 1))
        .hasMessageContaining("never written");
  }

  @Test
  void aShortCopyFillsWithZeros() {
    String body =
        """
        mov.u32 %r2, sa;
        mov.u32 %r4, 4;
        cp.async.cg.shared.global [%r2], [%rd1], 16, %r4;
        cp.async.wait_all;
        ld.shared.v4.u32 {%r5,%r6,%r7,%r8}, [%r2];
        st.global.v4.u32 [%rd3], {%r5,%r6,%r7,%r8};
        """;
    assertThat(run(body, 1, Snippet.bytes(5, 6), new byte[4], 4)).containsExactly(5, 0, 0, 0);
  }

  /// The whole of wgmma: a bulk copy that an mbarrier counts, descriptors with and without a
  /// swizzle, deferred sums. A `(64, 64)` and B `(N, 64)` lie in rows of 64 bytes; the test lays
  /// them out as the mode wants, and the product runs in two steps of 32.
  @ParameterizedTest
  @CsvSource({"0, 8", "3, 16", "2, 24", "1, 64"})
  void warpGroupsMultiplyFromSharedMemory(int mode, int n) {
    byte[] a = random(64 * 128, 5);
    byte[] b = random(n * 128, 6);
    int k = mode == 3 ? 32 : 64;
    String sums = list(100, n / 2);
    StringBuilder body =
        new StringBuilder(
            """
            mov.u32 %%r2, sa; mov.u32 %%r3, sb; mov.u32 %%r4, bar;
            setp.ne.u32 %%p1, %%r1, 0;
            @%%p1 bra SKIP;
            mbarrier.init.shared::cta.b64 [%%r4], 1;
            fence.proxy.async.shared::cta;
            mbarrier.arrive.expect_tx.shared::cta.b64 _, [%%r4], %d;
            cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%%r2], [%%rd1], %d, [%%r4];
            cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%%r3], [%%rd2], %d, [%%r4];
            SKIP:
            bar.sync 0;
            WAIT:
            mbarrier.try_wait.parity.shared::cta.b64 %%p2, [%%r4], 0;
            @!%%p2 bra WAIT;
            wgmma.fence.sync.aligned;
            """
                .formatted((64 + n) * 128, 64 * 128, n * 128));
    for (int r = 0; r < n / 2; r++) {
      body.append("mov.u32 %%r%d, 0;".formatted(100 + r));
    }
    for (int step = 0; step < k / 32; step++) {
      long leading = 128;
      int group = new int[] {256 * k / 32, 1024, 512, 256}[mode];
      int advance = mode == 0 ? 256 * step : 32 * step;
      long descriptor = leading >> 4 << 16 | (long) group >> 4 << 32 | (long) mode << 62;
      body.append(
          """
          add.s32 %%r5, %%r2, %d; shr.u32 %%r5, %%r5, 4; cvt.u64.u32 %%rd5, %%r5;
          or.b64 %%rd5, %%rd5, %s;
          add.s32 %%r5, %%r3, %d; shr.u32 %%r5, %%r5, 4; cvt.u64.u32 %%rd6, %%r5;
          or.b64 %%rd6, %%rd6, %s;
          wgmma.mma_async.sync.aligned.m64n%dk32.s32.s8.s8 {%s}, %%rd5, %%rd6, 1;
          """
              .formatted(
                  advance,
                  "0x" + Long.toHexString(descriptor),
                  advance,
                  "0x" + Long.toHexString(descriptor),
                  n,
                  sums));
    }
    body.append(
        """
        wgmma.commit_group.sync.aligned;
        wgmma.wait_group.sync.aligned 0;
        mul.wide.u32 %%rd7, %%r1, %d;
        add.s64 %%rd7, %%rd7, %%rd3;
        """
            .formatted(n * 2));
    for (int r = 0; r < n / 2; r++) {
      body.append("st.global.u32 [%%rd7+%d], %%r%d;\n".formatted(4 * r, 100 + r));
    }
    int[] out = run(body.toString(), 128, layOut(a, 64, k, mode), layOut(b, n, k, mode), 64 * n);
    int[] expected = product(a, b, 64, n, k, 128);
    for (int thread = 0; thread < 128; thread++) {
      for (int r = 0; r < n / 2; r++) {
        int row = thread / 32 * 16 + thread % 32 / 4 + 8 * (r / 2 % 2);
        int column = r / 4 * 8 + thread % 4 * 2 + r % 2;
        assertThat(out[thread * n / 2 + r]).isEqualTo(expected[row * n + column]);
      }
    }
  }

  /// Puts rows of 128 bytes, of which k count, where a descriptor of `mode` looks for them.
  private static byte[] layOut(byte[] matrix, int rows, int k, int mode) {
    byte[] out = new byte[rows * 128];
    for (int row = 0; row < rows; row++) {
      for (int x = 0; x < k; x++) {
        int at =
            switch (mode) {
              // Core matrices of 8 rows by 16 bytes, side by side along K.
              case 0 -> row / 8 * (8 * k) + x / 16 * 128 + row % 8 * 16 + x % 16;
              case 1 -> row * 128 + ((x / 16 ^ row % 8) * 16 + x % 16);
              case 2 -> row * 64 + ((x / 16 ^ row / 2 % 4) * 16 + x % 16);
              default -> row * 32 + ((x / 16 ^ row / 4 % 2) * 16 + x % 16);
            };
        out[at] = matrix[row * 128 + x];
      }
    }
    return out;
  }
}
