package io.rigmesh.ledger.chain;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Digests;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ContractErrorsTest {
  private final ContractErrors errors = new ContractErrors();

  private static String word(long value) {
    return "%064x".formatted(value);
  }

  @Test
  void aCustomErrorOfTheEscrowIsASentence() {
    // WrongStatus(uint8): the first four bytes of the Keccak-256 of its signature are 359011cc.
    RevertedException e = errors.explain("0x359011cc" + word(3));
    assertThat(e.error()).isEqualTo("WrongStatus");
    assertThat(e).hasMessageContaining("The escrow is proven");
  }

  @Test
  void timesAreShownAsDates() {
    // DeadlinePassed(uint64,uint256)
    RevertedException e = errors.explain("0x3dee80f2" + word(1_800_000_000) + word(1_800_000_001));
    assertThat(e)
        .hasMessageContaining("The deadline 2027-01-15T08:00:00Z has passed")
        .hasMessageContaining("2027-01-15T08:00:01Z");
  }

  @Test
  void theTokensOwnErrorsAreKnown() {
    // ERC20InsufficientBalance(address,uint256,uint256)
    RevertedException e = errors.explain("0xe450d38c" + word(0xabc) + word(5) + word(9));
    assertThat(e.error()).isEqualTo("ERC20InsufficientBalance");
    assertThat(e).hasMessageContaining("holds 5").hasMessageContaining("needs 9");
  }

  @Test
  void requireMessagesAndPanicsAreKnown() {
    String text = "6e6f7420746f646179" + "0".repeat(46);
    assertThat(errors.explain("0x08c379a0" + word(32) + word(9) + text))
        .hasMessageContaining("not today");
    assertThat(errors.explain("0x4e487b71" + word(0x11))).hasMessageContaining("panic code 17");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0x", "0x12", "0xdeadbeef", "0x359011cc", "0x3dee80f200"})
  void dataThatSaysLittleStillGivesASentence(String data) {
    assertThat(errors.explain(data).getMessage()).startsWith("The ").endsWith(".");
  }

  @ParameterizedTest
  @CsvSource({"0", "4", "36", "68", "200"})
  void hugeOrBrokenArgumentsAreNoFailure(int bytes) {
    String filler = HexFormat.of().formatHex(new byte[bytes]).replace("00", "ff");
    assertThat(errors.explain("0x08c379a0" + filler).getMessage()).isNotEmpty();
    assertThat(errors.explain("0x3dee80f2" + filler).getMessage()).isNotEmpty();
  }

  /// Solidity's libraries and OpenZeppelin bring errors that no user can meet; the contracts' own
  /// are all sentences.
  @Test
  void everyErrorOfTheContractsIsASentenceOfItsOwn() throws Exception {
    Set<String> unsaid = new TreeSet<>();
    JsonMapper json = JsonMapper.builder().build();
    for (String contract : ContractErrors.CONTRACTS) {
      try (InputStream abi =
          ContractErrors.class.getResourceAsStream(
              "/io/rigmesh/ledger/abi/" + contract + ".json")) {
        for (JsonNode entry : json.readTree(Objects.requireNonNull(abi))) {
          if (entry.path("type").stringValue("").equals("error")) {
            StringBuilder types = new StringBuilder();
            StringBuilder words = new StringBuilder();
            for (JsonNode input : entry.path("inputs")) {
              types.append(types.isEmpty() ? "" : ",").append(input.path("type").stringValue(""));
              words.append(word(1));
            }
            String name = entry.path("name").stringValue("");
            byte[] digest =
                Digests.keccak256((name + "(" + types + ")").getBytes(StandardCharsets.US_ASCII))
                    .bytes();
            String data = HexFormat.of().formatHex(digest, 0, 4) + words;
            if (errors.explain(data).getMessage().contains(name)) {
              unsaid.add(name);
            }
          }
        }
      }
    }
    assertThat(unsaid)
        .isSubsetOf(
            "ERC20InvalidApprover",
            "ERC20InvalidReceiver",
            "ERC20InvalidSender",
            "ERC20InvalidSpender",
            "FailedCall",
            "InvalidShortString",
            "StringTooLong");
  }
}
