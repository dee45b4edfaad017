package io.rigmesh.worker.ptx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// A few lines of PTX made into a kernel: `%r1` holds the thread's number and `%rd1` the address of
/// the word that it may write; what the lines leave in `%r0` is written there.
final class Snippet {
  private final String text;
  private final PtxDevice device = new PtxDevice();

  /// @param variables declarations at the begin of the body
  Snippet(String variables, String body) {
    this.text =
        """
        .version 9.0
        .target sm_90a
        .address_size 64
        .visible .entry k(.param .u64 out, .param .u64 in)
        {
        .reg .pred %p<9>; .reg .b16 %rs<9>; .reg .f32 %f<19>; .reg .b32 %r<60>;
        .reg .b64 %rd<19>; .reg .f64 %fd<9>;
        VARIABLES
        ld.param.u64 %rd1, [out];
        ld.param.u64 %rd2, [in];
        mov.u32 %r1, %tid.x;
        mov.u32 %r0, 0;
        mul.wide.u32 %rd3, %r1, 4;
        add.s64 %rd1, %rd1, %rd3;
        BODY
        st.global.u32 [%rd1], %r0;
        ret;
        }
        """
            .replace("VARIABLES", variables)
            .replace("BODY", body);
  }

  Snippet(String body) {
    this("", body);
  }

  PtxDevice device() {
    return device;
  }

  /// Runs one block of `threads` threads on `in` and gives the word of each.
  int[] run(int threads, int... in) {
    return runBlocks(1, threads, in);
  }

  /// Runs `blocks` blocks; the word of a thread is that of the last block.
  int[] runBlocks(int blocks, int threads, int... in) {
    PtxDevice.Module module = device.load(text);
    DeviceBuffer out = device.memory().allocate("out", threads * 4);
    DeviceBuffer input = device.memory().allocate("in", Math.max(4, in.length * 4));
    if (in.length > 0) {
      input.write(0, bytes(in));
    }
    device.launch(module, "k", Extent.of(blocks), Extent.of(threads), 0, out, input);
    return words(out.read(0, threads * 4));
  }

  /// Runs one thread with a, b, c in `%r2`, `%r3`, `%r4`.
  static int word(String body, int a, int b, int c) {
    String load =
        "ld.global.u32 %r2, [%rd2]; ld.global.u32 %r3, [%rd2+4]; ld.global.u32 %r4, [%rd2+8];\n";
    return new Snippet(load + body).run(1, a, b, c)[0];
  }

  /// Runs one thread with a, b, c in `%rd4`, `%rd5`, `%rd6`; gives what it leaves in `%rd0`.
  static long wide(String body, long a, long b, long c) {
    String load =
        "ld.global.u64 %rd4, [%rd2]; ld.global.u64 %rd5, [%rd2+8]; ld.global.u64 %rd6, [%rd2+16];\n";
    String half = "\nshr.u64 %rd0, %rd0, SHIFT; cvt.u32.u64 %r0, %rd0;";
    int[] in = {(int) a, (int) (a >>> 32), (int) b, (int) (b >>> 32), (int) c, (int) (c >>> 32)};
    int low = new Snippet(load + body + half.replace("SHIFT", "0")).run(1, in)[0];
    int high = new Snippet(load + body + half.replace("SHIFT", "32")).run(1, in)[0];
    return (long) high << 32 | (low & 0xffffffffL);
  }

  static byte[] bytes(int... words) {
    ByteBuffer buffer = ByteBuffer.allocate(words.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    buffer.asIntBuffer().put(words);
    return buffer.array();
  }

  static int[] words(byte[] bytes) {
    int[] words = new int[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(words);
    return words;
  }
}
