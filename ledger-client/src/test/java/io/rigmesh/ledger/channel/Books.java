package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// A payer and a payee with their books on real files, and one contract between them.
final class Books {
  static final Instant LATER = Instant.parse("2100-01-01T00:00:00Z");
  static final Address TOKEN =
      Address.of(new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9});
  static final Domain DOMAIN = new Domain(31_337, TOKEN);

  final AccountKey payerKey = AccountKey.generate();
  final AccountKey payeeKey = AccountKey.generate();
  final ContractInMemory contract;
  private final Path folder;
  private final Clock clock;
  private final TokenAmount depositMinimum;

  Books(Path folder, long wallet, long depositMinimum, Clock clock) {
    this.folder = folder;
    this.clock = clock;
    this.depositMinimum = TokenAmount.of(depositMinimum);
    this.contract = new ContractInMemory(DOMAIN, payerKey.address(), TokenAmount.of(wallet));
  }

  Books(Path folder, long wallet, long depositMinimum) {
    this(folder, wallet, depositMinimum, Clock.systemUTC());
  }

  static Hash hash(String text) {
    return Digests.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  /// The payer's book as a node finds it when it starts.
  PayerBook payer() {
    return new PayerBook(
        jdbi("payer.db"),
        contract,
        AccountSigner.of(payerKey),
        payerKey.address(),
        TOKEN,
        new PayerSettings(depositMinimum),
        clock);
  }

  /// The payee's, the same.
  PayeeBook payee() {
    return new PayeeBook(jdbi("payee.db"), contract, payeeKey.address(), TOKEN, clock);
  }

  private Jdbi jdbi(String name) {
    DataSource source = LedgerSchema.open(folder.resolve(name));
    LedgerSchema.migrate(source);
    return Jdbi.create(source);
  }
}
