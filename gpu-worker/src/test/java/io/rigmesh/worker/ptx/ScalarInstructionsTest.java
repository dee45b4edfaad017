package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Instructions of one thread give the results that the PTX ISA defines.
class ScalarInstructionsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          add.s32 %r0, %r2, %r3            | 7fffffff | 1        | 0        | 80000000
          sub.s32 %r0, %r2, %r3            | 0        | 1        | 0        | ffffffff
          mul.lo.s32 %r0, %r2, %r3         | 10001    | 10001    | 0        | 20001
          mul.hi.s32 %r0, %r2, %r3         | ffffffff | 2        | 0        | ffffffff
          mul.hi.u32 %r0, %r2, %r3         | ffffffff | 2        | 0        | 1
          mad.lo.s32 %r0, %r2, %r3, %r4    | 3        | 5        | fffffff0 | ffffffff
          mad.hi.u32 %r0, %r2, %r3, %r4    | 80000000 | 4        | 7        | 9
          div.s32 %r0, %r2, %r3            | fffffff9 | 2        | 0        | fffffffd
          div.u32 %r0, %r2, %r3            | fffffff9 | 2        | 0        | 7ffffffc
          rem.s32 %r0, %r2, %r3            | fffffff9 | 2        | 0        | ffffffff
          rem.u32 %r0, %r2, %r3            | fffffff9 | 4        | 0        | 1
          min.s32 %r0, %r2, %r3            | ffffffff | 1        | 0        | ffffffff
          min.u32 %r0, %r2, %r3            | ffffffff | 1        | 0        | 1
          max.s32 %r0, %r2, -127           | ffffff00 | 1        | 0        | ffffff81
          abs.s32 %r0, %r2                 | fffffffb | 0        | 0        | 5
          neg.s32 %r0, %r2                 | 5        | 0        | 0        | fffffffb
          sad.s32 %r0, %r2, %r3, %r4       | fffffffe | 3        | 1        | 6
          and.b32 %r0, %r2, %r3            | f0f0     | ff00     | 0        | f000
          or.b32 %r0, %r2, %r3             | f0f0     | ff00     | 0        | fff0
          xor.b32 %r0, %r2, %r3            | f0f0     | ff00     | 0        | ff0
          not.b32 %r0, %r2                 | f0f0     | 0        | 0        | ffff0f0f
          shl.b32 %r0, %r2, %r3            | 1        | 1f       | 0        | 80000000
          shl.b32 %r0, %r2, %r3            | 1        | 20       | 0        | 0
          shr.u32 %r0, %r2, %r3            | 80000000 | 21       | 0        | 0
          shr.s32 %r0, %r2, %r3            | 80000000 | 21       | 0        | ffffffff
          shf.l.wrap.b32 %r0, %r2, %r3, %r4| 80000001 | 12345678 | 4        | 23456788
          shf.r.wrap.b32 %r0, %r2, %r3, %r4| 80000001 | 12345678 | 24       | 88000000
          shf.l.clamp.b32 %r0, %r2, %r3, %r4 | 80000001 | 12345678 | 29     | 80000001
          popc.b32 %r0, %r2                | f0f00001 | 0        | 0        | 9
          clz.b32 %r0, %r2                 | 10000    | 0        | 0        | f
          brev.b32 %r0, %r2                | 1        | 0        | 0        | 80000000
          bfind.u32 %r0, %r2               | 10000    | 0        | 0        | 10
          bfind.shiftamt.u32 %r0, %r2      | 10000    | 0        | 0        | f
          bfind.u32 %r0, %r2               | 0        | 0        | 0        | ffffffff
          bfind.s32 %r0, %r2               | ffffff00 | 0        | 0        | 7
          bfe.u32 %r0, %r2, %r3, %r4       | 12345678 | 8        | 8        | 56
          bfe.s32 %r0, %r2, %r3, %r4       | 1234f678 | 8        | 8        | fffffff6
          bfe.u32 %r0, %r2, %r3, %r4       | ff000000 | 1c       | 8        | f
          bfi.b32 %r0, %r2, %r3, 8, 4      | ff       | 12345678 | 0        | 12345f78
          lop3.b32 %r0, %r2, %r3, %r4, 0xEA| f0       | 3c       | 3        | 33
          lop3.b32 %r0, %r2, %r3, %r4, 0x96| f0       | 3c       | 3        | cf
          prmt.b32 %r0, %r2, %r3, 0x3726   | 33221100 | 77665544 | 0        | 33772266
          prmt.b32 %r0, %r2, %r3, 0x88c0   | 80       | 0        | 0        | ffff0080
          dp4a.s32.s32 %r0, %r2, %r3, %r4  | 80ff7f01 | 80ff7f02 | a        | 7f0e
          dp4a.u32.s32 %r0, %r2, %r3, %r4  | ff       | ff       | 0        | ffffff01
          dp2a.lo.s32.s32 %r0, %r2, %r3, %r4 | fffe0003 | 0504   | 1        | 3
          selp.b32 %r0, 1, 2, %p1          | 0        | 0        | 0        | 2
          cvt.s32.s8 %r0, %r2              | 1ff      | 0        | 0        | ffffffff
          cvt.u32.u8 %r0, %r2              | 1ff      | 0        | 0        | ff
          mov.b64 %rd4, {%r2, %r3}; cvt.s32.s8 %r0, %rd4 | 1ff | 5  | 0        | ffffffff
          cvt.sat.s8.s32 %r0, %r2          | 1ff      | 0        | 0        | 7f
          cvt.sat.u8.s32 %r0, %r2          | ffffffff | 0        | 0        | 0
          cvt.pack.sat.s8.s32.b32 %r0, %r2, %r3, %r4 | 1ff | fffffe00 | abcd1234 | 12347f80
          """)
  void integers(String instruction, String a, String b, String c, String expected) {
    String body = "setp.ne.s32 %p1, %r2, %r2;\n" + instruction.strip() + ";";
    assertThat(Snippet.word(body, hex(a), hex(b), hex(c))).isEqualTo(hex(expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          add.rn.f32 %f0, %f2, %f3         | 3f800000 | 33800000 | 0        | 3f800000
          add.rn.f32 %f0, %f2, %f3         | 1        | 1        | 0        | 2
          add.rn.f32 %f0, %f2, %f3         | 80000000 | 0        | 0        | 0
          sub.rn.f32 %f0, %f2, %f3         | 7f800000 | 7f800000 | 0        | 7fffffff
          mul.rn.f32 %f0, %f2, %f3         | 00800000 | 3f000000 | 0        | 00400000
          div.rn.f32 %f0, %f2, %f3         | 3f800000 | 40400000 | 0        | 3eaaaaab
          sqrt.rn.f32 %f0, %f2             | 40000000 | 0        | 0        | 3fb504f3
          rcp.rn.f32 %f0, %f2              | 40400000 | 0        | 0        | 3eaaaaab
          fma.rn.f32 %f0, %f2, %f3, %f4    | 3f800001 | 3f800001 | bf800002 | 28800000
          neg.f32 %f0, %f2                 | 0        | 0        | 0        | 80000000
          abs.f32 %f0, %f2                 | ff800000 | 0        | 0        | 7f800000
          min.f32 %f0, %f2, %f3            | 7fc00000 | 3f800000 | 0        | 3f800000
          max.f32 %f0, %f2, %f3            | 80000000 | 0        | 0        | 0
          max.NaN.f32 %f0, %f2, %f3        | 3f800000 | 7fc00000 | 0        | 7fffffff
          copysign.f32 %f0, %f2, %f3       | 80000000 | 3f800000 | 0        | bf800000
          cvt.rni.f32.f32 %f0, %f2         | 40200000 | 0        | 0        | 40000000
          cvt.rzi.f32.f32 %f0, %f2         | bf000000 | 0        | 0        | 80000000
          cvt.rn.f32.s32 %f0, %r2          | 1000001  | 0        | 0        | 4b800000
          cvt.rn.f32.u32 %f0, %r2          | ffffffff | 0        | 0        | 4f800000
          """)
  void floats(String instruction, String a, String b, String c, String expected) {
    String body =
        "mov.b32 %f2, %r2; mov.b32 %f3, %r3; mov.b32 %f4, %r4;\n"
            + instruction.strip()
            + "; mov.b32 %r0, %f0;";
    assertThat(Snippet.word(body, hex(a), hex(b), hex(c))).isEqualTo(hex(expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          cvt.rni.s32.f32 %r0, %f2         | 40200000 | 2
          cvt.rni.s32.f32 %r0, %f2         | c0600000 | fffffffc
          cvt.rzi.s32.f32 %r0, %f2         | bfc00000 | ffffffff
          cvt.rmi.s32.f32 %r0, %f2         | bfc00000 | fffffffe
          cvt.rpi.s32.f32 %r0, %f2         | 3f8ccccd | 2
          cvt.rni.s32.f32 %r0, %f2         | 7f800000 | 7fffffff
          cvt.rni.s32.f32 %r0, %f2         | 7fc00000 | 0
          cvt.rzi.u32.f32 %r0, %f2         | bf800000 | 0
          {cvt.rn.bf16.f32 %rs1, %f2; cvt.u32.u16 %r0, %rs1;} | 3f808000 | 3f80
          {cvt.rn.bf16.f32 %rs1, %f2; cvt.u32.u16 %r0, %rs1;} | 3f818000 | 3f82
          {cvt.rn.f16.f32 %rs1, %f2; cvt.u32.u16 %r0, %rs1;}  | 477fefff | 7bff
          {cvt.rn.f16.f32 %rs1, %f2; cvt.u32.u16 %r0, %rs1;}  | 33000001 | 1
          {cvt.u16.u32 %rs1, %r2; cvt.f32.f16 %f1, %rs1; mov.b32 %r0, %f1;} | 1 | 33800000
          {cvt.u16.u32 %rs1, %r2; mov.b32 %r0, {0, %rs1};} | 3f80 | 3f800000
          cvt.rn.bf16x2.f32 %r0, %f2, 0f40000000 | 3f800000 | 3f804000
          """)
  void conversions(String instruction, String a, String expected) {
    String body = "mov.b32 %f2, %r2;\n" + instruction.strip() + ";";
    assertThat(Snippet.word(body, hex(a), 0, 0)).isEqualTo(hex(expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          add.s64 %rd0, %rd4, %rd5             | ffffffff         | 1        | 100000000
          mul.lo.s64 %rd0, %rd4, %rd5          | 100000001        | 100000001| 200000001
          mul.hi.u64 %rd0, %rd4, %rd5          | ffffffffffffffff | 3        | 2
          mul.hi.s64 %rd0, %rd4, %rd5          | ffffffffffffffff | 3        | ffffffffffffffff
          shl.b64 %rd0, %rd4, 40               | 1                | 0        | 10000000000
          shr.s64 %rd0, %rd4, 70               | 8000000000000000 | 0        | ffffffffffffffff
          bfi.b64 %rd0, %rd4, %rd5, 32, 32     | abc              | 123      | abc00000123
          and.b64 %rd0, %rd4, %rd5             | ff00ff00ff00ff00 | ffffffff00000000 | ff00ff0000000000
          mul.wide.s32 %rd0, %r0, -3           | 0                | 0        | 0
          cvt.rzi.s64.f32 %rd0, 0fDF000000     | 0                | 0        | 8000000000000000
          max.u64 %rd0, %rd4, %rd5             | ffffffffffffffff | 1        | ffffffffffffffff
          """)
  void wideIntegers(String instruction, String a, String b, String expected) {
    assertThat(Snippet.wide(instruction.strip() + ";", wide(a), wide(b), 0))
        .isEqualTo(wide(expected));
  }

  @ParameterizedTest
  @CsvSource({
    "lt, 3f800000, 40000000, true",
    "lt, 7fc00000, 40000000, false",
    "ltu, 7fc00000, 40000000, true",
    "ne, 7fc00000, 40000000, false",
    "neu, 7fc00000, 7fc00000, true",
    "eq, 80000000, 0, true",
    "nan, 7fc00000, 0, true",
    "num, 1, 0, true"
  })
  void comparisonsOfFloatsKnowNan(String relation, String a, String b, boolean holds) {
    String body =
        "mov.b32 %f2, %r2; mov.b32 %f3, %r3; setp."
            + relation
            + ".f32 %p1, %f2, %f3;"
            + " selp.u32 %r0, 1, 0, %p1;";
    assertThat(Snippet.word(body, hex(a), hex(b), 0)).isEqualTo(holds ? 1 : 0);
  }

  @Test
  void comparisonsCombineAndGiveTheOpposite() {
    String body =
        """
        setp.lt.s32 %p1, %r2, %r3;
        setp.gt.and.u32 %p2|%p3, %r2, %r3, %p1;
        setp.hs.or.u32 %p4, %r2, %r3, !%p1;
        selp.u32 %r5, 1, 0, %p2; selp.u32 %r6, 2, 0, %p3; selp.u32 %r7, 4, 0, %p4;
        or.b32 %r0, %r5, %r6; or.b32 %r0, %r0, %r7;
        """;
    assertThat(Snippet.word(body, -1, 1, 0)).isEqualTo(5);
    assertThat(Snippet.word(body, 1, 2, 0)).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "add.f32 %f0, %f1, %f2",
        "mul.f32 %f0, %f1, %f2",
        "add.rz.f32 %f0, %f1, %f2",
        "fma.rn.ftz.f32 %f0, %f1, %f2, %f3",
        "ex2.approx.f32 %f0, %f1",
        "rcp.approx.f32 %f0, %f1",
        "sqrt.approx.f32 %f0, %f1",
        "div.full.f32 %f0, %f1, %f2",
        "sin.approx.f32 %f0, %f1",
        "atom.global.add.f32 %f0, [%rd1], %f1",
        "mov.u64 %rd4, %clock64",
        "activemask.b32 %r0",
        "add.s32.unheard %r0, %r1, %r1",
        "call.uni other"
      })
  void whatIsNotExactOrNotKnownIsRefusedWithItsText(String instruction) {
    assertThatThrownBy(() -> new Snippet(instruction + ";").run(1))
        .isInstanceOf(PtxException.class)
        .hasMessageContaining(instruction)
        .hasMessageContaining("PTX line 15");
  }

  @Test
  void aDivisionByZeroIsAnError() {
    assertThatThrownBy(() -> Snippet.word("div.s32 %r0, %r2, %r3;", 1, 0, 0))
        .hasMessageContaining("division by zero");
  }

  private static int hex(String text) {
    return Integer.parseUnsignedInt(text.strip(), 16);
  }

  private static long wide(String text) {
    return Long.parseUnsignedLong(text.strip(), 16);
  }
}
