package io.rigmesh.ledger.dev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.LedgerException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class DevChainIT {
  /// Starts a chain and ends without closing it.
  public static final class Careless {
    private Careless() {}

    /// Prints the id of the chain's process.
    public static void main(String[] arguments) {
      System.out.println(
          DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of("")))).processId());
      System.exit(0);
    }
  }

  @Test
  void aProgramThatForgetsItsChainDoesNotLeaveItBehind() throws Exception {
    Process careless =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Careless.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long chain = Long.parseLong(new String(careless.getInputStream().readAllBytes()).strip());
    assertThat(careless.waitFor(120, TimeUnit.SECONDS)).isTrue();
    Optional<ProcessHandle> left = ProcessHandle.of(chain);
    if (left.isPresent()) {
      left.get().onExit().get(120, TimeUnit.SECONDS);
    }
  }

  @Test
  void aPortThatIsTakenIsSaid() {
    DevChain.Settings any = DevChain.Settings.standard(AnvilBinary.find(Path.of("")));
    try (DevChain first = DevChain.start(any)) {
      DevChain.Settings same =
          new DevChain.Settings(
              any.binary(), first.endpoint().getPort(), 31337, Optional.empty(), Optional.empty());
      assertThatThrownBy(() -> DevChain.start(same))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("did not start");
    }
  }
}
