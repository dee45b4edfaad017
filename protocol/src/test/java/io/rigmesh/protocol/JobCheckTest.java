package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JobCheckTest {
  private static final long NOW = 1_799_999_000L;
  private final Map<BigInteger, Hash> used = new HashMap<>();
  private final JobCheck check =
      new JobCheck(Samples.DOMAIN, (requester, nonce) -> Optional.ofNullable(used.get(nonce)));
  private final SignedJob signed = Samples.generate().sign(Samples.REQUESTER, Samples.DOMAIN);

  @Test
  void aGoodJobPasses() {
    assertThat(check.check(json(signed), NOW)).isEqualTo(new JobCheck.Passed(signed, false));
  }

  @Test
  void aMalformedJobIsRefusedWithTheField() {
    String json = text(signed).replace("\"maxTokens\" : \"64\"", "\"maxTokens\" : \"064\"");
    assertRefused(json, RefusalCode.MALFORMED, "maxTokens");
    assertRefused("{\"kind\":", RefusalCode.MALFORMED, "JSON");
    assertRefused("[]", RefusalCode.MALFORMED, "object");
    assertRefused(text(signed).replaceFirst("\\{", "{\"x\":1,"), RefusalCode.MALFORMED, "x");
  }

  @Test
  void anOversizedJobIsRefusedWithTheLimit() {
    assertRefused(" ".repeat(JobCheck.JSON_BYTES_MAX + 1), RefusalCode.TOO_LARGE, "16384");
  }

  @Test
  void aJobSignedByAnotherIsRefused() {
    Signature other = Samples.PROVIDER.sign(signed.job().typedData().digest(Samples.DOMAIN));
    assertRefused(text(new SignedJob(signed.job(), other)), RefusalCode.BAD_SIGNATURE, "signature");
  }

  @Test
  void aJobSignedForAnotherChainIsRefused() {
    Domain elsewhere = new Domain(1, Samples.DOMAIN.verifyingContract());
    assertRefused(
        text(signed.job().sign(Samples.REQUESTER, elsewhere)),
        RefusalCode.BAD_SIGNATURE,
        "chain 31337");
  }

  @Test
  void anExpiredJobIsRefused() {
    assertThat(refusal(check.check(signed, signed.job().deadlineSeconds())).code())
        .isEqualTo(RefusalCode.EXPIRED);
  }

  @Test
  void aDeadlineInMillisecondsIsRefused() {
    assertThat(refusal(check.check(signed, NOW - 40L * 24 * 3600)).sentence())
        .contains("seconds, not milliseconds");
  }

  @Test
  void anotherJobWithAUsedNonceIsRefused() {
    used.put(signed.job().nonce(), Samples.hash("another job"));
    assertRefused(text(signed), RefusalCode.REPLAYED, "nonce");
  }

  @Test
  void theSameJobAgainIsKnown() {
    used.put(signed.job().nonce(), signed.job().id());
    assertThat(check.check(signed, NOW)).isEqualTo(new JobCheck.Passed(signed, true));
  }

  private void assertRefused(String json, RefusalCode code, String word) {
    Refusal refusal = refusal(check.check(json.getBytes(StandardCharsets.UTF_8), NOW));
    assertThat(refusal.code()).isEqualTo(code);
    assertThat(refusal.sentence()).contains(word);
  }

  private static Refusal refusal(JobCheck.Result result) {
    assertThat(result).isInstanceOf(JobCheck.Failed.class);
    return ((JobCheck.Failed) result).refusal();
  }

  private static String text(SignedJob job) {
    return ProtocolJson.write(job).toPrettyString();
  }

  private static byte[] json(SignedJob job) {
    return text(job).getBytes(StandardCharsets.UTF_8);
  }
}
