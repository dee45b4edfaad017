package io.rigmesh.ledger.receipt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.MerkleLog;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Receipts of a provider on a real chain: the root of the log that vouchers carry is anchored, and
/// each receipt is proven under it by the contract.
class ReceiptLogIT {
  @TempDir Path folder;

  private static Hash hash(String text) {
    return Digests.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Receipt receipt(AccountKey provider, int number) {
    return new Receipt(
        hash("job " + number),
        provider.address(),
        hash("model"),
        new Meter(10 + number, 20, 0),
        hash("commitment " + number),
        hash("commitments " + number),
        hash("output " + number),
        "cpu",
        Profile.I8_V1,
        1_767_225_600 + number,
        1_767_225_610 + number,
        TokenAmount.of(1_000 + number));
  }

  @Test
  void eachReceiptUnderAnAnchoredRootIsProvenAndNoOther() {
    AccountKey key = AccountKey.generate();
    List<Hash> receipts =
        IntStream.range(0, 11).mapToObj(number -> receipt(key, number).hash()).toList();
    MerkleLog tree = new MerkleLog();
    receipts.forEach(receipt -> tree.append(MerkleTree.leaf(receipt.bytes())));
    Hash root = tree.root();
    assertThat(ReceiptProof.root(receipts)).isEqualTo(root);

    try (DevChain chain = TestChain.start()) {
      chain.setBalance(key.address(), BigInteger.TEN.pow(18));
      try (Party party = Party.open(key, folder.resolve("party.db"), chain)) {
        Deployment deployment = DevDeployment.standard().deploy(party.sender(), Party.TIMEOUT);
        deployment.write(folder.resolve("deployment.json"));
        ReceiptLogClient client =
            new ReceiptLogClient(party.sender(), deployment.receipts(), Party.TIMEOUT);
        ReceiptLogReads log = client.reads();
        assertThat(log.isKnownCode()).isTrue();
        assertThat(new ReceiptLogReads(party.rpc(), deployment.escrow()).isKnownCode()).isFalse();
        ReceiptProof last = ReceiptProof.of(receipts, receipts.getLast());
        assertThat(log.proves(key.address(), receipts.getLast(), last)).isFalse();
        assertThat(log.anchoredAt(key.address(), root)).isEmpty();

        assertThat(client.anchor(root)).isPresent();
        assertThat(client.anchor(root)).as("the same transaction").isPresent();
        assertThat(party.store().list("anchor:")).hasSize(1);
        assertThat(log.anchoredAt(key.address(), root)).contains(party.rpc().head().timestamp());
        for (Hash receipt : receipts) {
          ReceiptProof proof = ReceiptProof.of(receipts, receipt);
          assertThat(log.proves(key.address(), receipt, proof)).isTrue();
        }
        assertThat(log.proves(key.address(), receipts.getFirst(), last)).isFalse();
        assertThat(log.proves(deployment.escrow(), receipts.getLast(), last)).isFalse();
        Hash other = receipt(key, 99).hash();
        assertThat(log.proves(key.address(), other, last)).isFalse();
        assertThatThrownBy(() -> ReceiptProof.of(receipts, other))
            .isInstanceOf(MalformedException.class)
            .hasMessageContaining("none of the 11");
      }
      // Another store of the same account finds it on the chain.
      try (Party again = Party.open(key, folder.resolve("again.db"), chain)) {
        ReceiptLogClient client =
            new ReceiptLogClient(
                again.sender(),
                Deployment.read(folder.resolve("deployment.json")).receipts(),
                Party.TIMEOUT);
        assertThat(client.anchor(root)).isEmpty();
        assertThat(again.store().list("anchor:")).isEmpty();
      }
    }
  }
}
