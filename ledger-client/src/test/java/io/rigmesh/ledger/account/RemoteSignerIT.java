package io.rigmesh.ledger.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.EndpointProxy;
import io.rigmesh.ledger.EndpointProxy.Answer;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A development chain's own account as the remote one: the chain signs, and never sees it sent by
/// itself.
class RemoteSignerIT {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final Domain DOMAIN = new Domain(31337, Address.fromHex("0x" + "c0".repeat(20)));
  private static final Voucher VOUCHER =
      new Voucher(Hash.ZERO, TokenAmount.of(5_000_000), Hash.ZERO);

  @TempDir Path folder;
  private DevChain chain;
  private EndpointProxy proxy;
  private Address account;

  @BeforeEach
  void start() {
    chain = TestChain.start();
    proxy = new EndpointProxy(chain.endpoint());
    account = Address.fromHex(chain.request("eth_accounts").get(0).stringValue());
  }

  @AfterEach
  void stop() {
    proxy.close();
    chain.close();
  }

  @Test
  void typedDataIsSignedByTheAccount() {
    try (RemoteSigner signer = RemoteSigner.connect(chain.endpoint(), account, TIMEOUT)) {
      Signature signature = signer.sign(VOUCHER.typedData(), DOMAIN);
      assertThat(signature.signer(VOUCHER.typedData().digest(DOMAIN))).isEqualTo(account);
      assertThat(signer.signsDigests()).isFalse();
      assertThatThrownBy(() -> signer.sign(Hash.ZERO))
          .isInstanceOf(SignerException.class)
          .hasMessageContaining("no bare digest");
    }
  }

  @Test
  void aTransactionIsSignedThereAndSentFromHereAndWaitsWhileTheSignerIsAway() {
    TestChain.onlyAnvil("signs no transaction without sending it");
    Address recipient = AccountKey.generate().address();
    DataSource source = LedgerSchema.open(folder.resolve("wallet.db"));
    LedgerSchema.migrate(source);
    try (RemoteSigner signer = RemoteSigner.connect(proxy.endpoint(), account, TIMEOUT);
        ChainRpc rpc = ChainRpc.connect(RpcSettings.of(31337, chain.endpoint()));
        TransactionSender sender =
            TransactionSender.start(
                rpc,
                new JdbiIntentStore(Jdbi.create(source), 31337, account),
                signer,
                SenderSettings.development(),
                SendListener.NONE,
                Clock.systemUTC())) {
      proxy.rule(request -> Optional.of(Answer.error(request, -32000, "not approved")));
      sender.submit("pay:one", "pay one", () -> Call.payment(recipient, BigInteger.TEN));
      assertThat(sender.find("pay:one").orElseThrow().state())
          .isInstanceOfSatisfying(
              IntentState.Planned.class,
              planned -> assertThat(planned.note()).contains("refuses eth_signTransaction"));
      proxy.rule(request -> Optional.empty());
      sender.await("pay:one", Party.TIMEOUT);
      assertThat(rpc.balanceWei(recipient)).isEqualTo(10);
    }
  }

  /// Whoever sits between the node and its signer can have another transaction signed, and gets
  /// nothing by it.
  @ParameterizedTest
  @ValueSource(strings = {"to", "value", "nonce", "data", "maxFeePerGas"})
  void aTransactionThatWasChangedBeforeItWasSignedIsNotSent(String field) {
    TestChain.onlyAnvil("signs no transaction without sending it");
    Address recipient = AccountKey.generate().address();
    Address thief = AccountKey.generate().address();
    Map<String, String> changes =
        Map.of(
            "to",
            thief.hex(),
            "value",
            "0x64",
            "nonce",
            "0x1",
            "data",
            "0x1234",
            "maxFeePerGas",
            "0xe8d4a51000");
    DataSource source = LedgerSchema.open(folder.resolve("wallet.db"));
    LedgerSchema.migrate(source);
    try (RemoteSigner signer = RemoteSigner.connect(proxy.endpoint(), account, TIMEOUT);
        ChainRpc rpc = ChainRpc.connect(RpcSettings.of(31337, chain.endpoint()));
        TransactionSender sender =
            TransactionSender.start(
                rpc,
                new JdbiIntentStore(Jdbi.create(source), 31337, account),
                signer,
                SenderSettings.development(),
                SendListener.NONE,
                Clock.systemUTC())) {
      BigInteger before = rpc.balanceWei(account);
      proxy.rule(request -> {
        Map<String, String> changed = new HashMap<>();
        request
            .path("params")
            .path(0)
            .properties()
            .forEach(entry -> changed.put(entry.getKey(), entry.getValue().stringValue()));
        changed.put(field, changes.get(field));
        String raw = chain.request("eth_signTransaction", changed).stringValue();
        return Optional.of(Answer.result(request, "\"" + raw + "\""));
      });
      sender.submit("pay:one", "pay one", () -> Call.payment(recipient, BigInteger.TEN));
      assertThat(sender.find("pay:one").orElseThrow().state())
          .isInstanceOfSatisfying(
              IntentState.Planned.class,
              planned ->
                  assertThat(planned.note())
                      .contains("signed something else than it was asked for"));
      assertThat(rpc.balanceWei(account)).isEqualTo(before);
      assertThat(rpc.nonce(account)).isZero();
      proxy.rule(request -> Optional.empty());
      sender.await("pay:one", Party.TIMEOUT);
      assertThat(rpc.balanceWei(recipient)).isEqualTo(10);
      assertThat(rpc.balanceWei(thief)).isZero();
    }
  }

  @Test
  void aSignatureOverSomethingElseIsRefused() {
    try (RemoteSigner signer = RemoteSigner.connect(proxy.endpoint(), account, TIMEOUT)) {
      AccountKey other = AccountKey.generate();
      String wrong = other.sign(VOUCHER.typedData().digest(DOMAIN)).hex();
      proxy.rule(request -> Optional.of(Answer.result(request, "\"" + wrong + "\"")));
      assertThatThrownBy(() -> signer.sign(VOUCHER.typedData(), DOMAIN))
          .isInstanceOf(SignerException.class)
          .hasMessageContaining("signed something else");
      proxy.rule(request -> Optional.of(Answer.result(request, "\"0x1234\"")));
      assertThatThrownBy(() -> signer.sign(VOUCHER.typedData(), DOMAIN))
          .isInstanceOf(SignerException.class)
          .hasMessageContaining("gives no signature");
    }
  }

  @Test
  void aSignerWithAnOlderMethodIsAskedByIt() {
    try (RemoteSigner signer = RemoteSigner.connect(proxy.endpoint(), account, TIMEOUT)) {
      String right =
          chain
              .request("eth_signTypedData_v4", account.hex(), VOUCHER.typedData().document(DOMAIN))
              .stringValue();
      proxy.rule(request ->
          Optional.of(
              request.path("method").stringValue("").equals("eth_signTypedData")
                  ? Answer.result(request, "\"" + right + "\"")
                  : Answer.error(request, -32601, "method not found")));
      assertThat(signer.sign(VOUCHER.typedData(), DOMAIN).hex()).isEqualTo(right);
    }
  }

  @Test
  void aSignerWithoutTheAccountOrWithoutAnAnswerIsOneSentence() {
    assertThatThrownBy(
            () -> RemoteSigner.connect(chain.endpoint(), AccountKey.generate().address(), TIMEOUT))
        .isInstanceOf(SignerException.class)
        .hasMessageContaining("does not have the account");
    proxy.close();
    assertThatThrownBy(() -> RemoteSigner.connect(proxy.endpoint(), account, TIMEOUT))
        .isInstanceOf(SignerException.class)
        .hasMessageContaining("is it running");
  }
}
