package io.rigmesh.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import org.junit.jupiter.api.Test;

class EtherTest {
  @Test
  void weiIsShownAsEtherWithoutZerosAtTheEnd() {
    assertThat(Ether.text(BigInteger.ZERO)).isEqualTo("0 ETH");
    assertThat(Ether.text(BigInteger.ONE)).isEqualTo("0.000000000000000001 ETH");
    assertThat(Ether.text(BigInteger.TEN.pow(18))).isEqualTo("1 ETH");
    assertThat(Ether.text(BigInteger.TEN.pow(20))).isEqualTo("100 ETH");
    assertThat(Ether.text(BigInteger.valueOf(2_100_000_000_000_000L))).isEqualTo("0.0021 ETH");
  }
}
