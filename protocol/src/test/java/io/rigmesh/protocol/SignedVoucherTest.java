package io.rigmesh.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SignedVoucherTest {
  private static final BigInteger ORDER =
      new BigInteger("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);

  private static SignedVoucher signed() {
    Voucher voucher = Samples.voucher();
    return new SignedVoucher(
        voucher, Samples.REQUESTER.sign(voucher.typedData().digest(Samples.DOMAIN)));
  }

  @Test
  void aVoucherCountsForItsSignerOnItsChainAndContractOnly() {
    SignedVoucher signed = signed();
    assertThat(signed.signer(Samples.DOMAIN)).isEqualTo(Samples.REQUESTER.address());
    assertThat(signed.isSignedBy(Samples.REQUESTER.address(), Samples.DOMAIN)).isTrue();
    assertThat(signed.isSignedBy(Samples.PROVIDER.address(), Samples.DOMAIN)).isFalse();
    Domain otherChain = new Domain(1, Samples.DOMAIN.verifyingContract());
    Domain otherContract = new Domain(31_337, Samples.PROVIDER.address());
    assertThat(signed.isSignedBy(Samples.REQUESTER.address(), otherChain)).isFalse();
    assertThat(signed.isSignedBy(Samples.REQUESTER.address(), otherContract)).isFalse();
    // The separator of the domain before is not taken for this one's.
    assertThat(signed.isSignedBy(Samples.REQUESTER.address(), Samples.DOMAIN)).isTrue();
  }

  @Test
  void anyOtherAmountChannelOrRootIsNotSigned() {
    SignedVoucher signed = signed();
    Voucher voucher = signed.voucher();
    for (Voucher other :
        new Voucher[] {
          new Voucher(voucher.channel(), TokenAmount.of(778), voucher.receiptsRoot()),
          new Voucher(Samples.hash("another"), voucher.amount(), voucher.receiptsRoot()),
          new Voucher(voucher.channel(), voucher.amount(), Samples.hash("another"))
        }) {
      assertThat(
              new SignedVoucher(other, signed.signature())
                  .isSignedBy(Samples.REQUESTER.address(), Samples.DOMAIN))
          .isFalse();
    }
  }

  @Test
  void theOtherHalfOfTheOrderIsNoSignature() {
    byte[] bytes = signed().signature().bytes();
    BigInteger high = ORDER.subtract(new BigInteger(1, Arrays.copyOfRange(bytes, 32, 64)));
    byte[] twin = bytes.clone();
    System.arraycopy(Words.uint256(high), 0, twin, 32, 32);
    twin[64] = (byte) (bytes[64] == 27 ? 28 : 27);
    assertThatThrownBy(() -> Signature.of(twin))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("lower half");
  }
}
