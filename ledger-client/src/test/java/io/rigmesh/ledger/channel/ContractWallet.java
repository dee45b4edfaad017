package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.generated.Uint8;

/// The contracts' test wallet on a chain: it takes what its owner signed (EIP-1271), until it is
/// told to take nothing.
final class ContractWallet implements AccountSigner {
  private static final Path CODE = Path.of("..", "contracts", "abi", "kit", "Wallet.bin");

  private final Party sender;
  private final Address address;
  private final AccountKey owner;

  private ContractWallet(Party sender, Address address, AccountKey owner) {
    this.sender = sender;
    this.address = address;
    this.owner = owner;
  }

  static ContractWallet deploy(Party sender, AccountKey owner) {
    String code;
    try {
      code = Files.readString(CODE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Address address =
        sender
            .sender()
            .send(
                "deploy-wallet:" + owner.address(),
                "deploy a wallet of " + owner.address(),
                () ->
                    Call.creation(
                        code,
                        FunctionEncoder.encodeConstructor(
                            List.of(new org.web3j.abi.datatypes.Address(owner.address().hex())))),
                Party.TIMEOUT)
            .contractCreated()
            .orElseThrow();
    return new ContractWallet(sender, address, owner);
  }

  /// From now on it takes nothing that anybody signed.
  void refuseAll() {
    sender
        .sender()
        .send(
            "mood:" + address,
            "let the wallet refuse",
            () ->
                Call.of(
                    address,
                    FunctionEncoder.encode(
                        new Function("setMood", List.of(new Uint8(1)), List.of()))),
            Party.TIMEOUT);
  }

  @Override
  public Address address() {
    return address;
  }

  @Override
  public Signature sign(Hash digest) {
    return owner.sign(digest);
  }
}
