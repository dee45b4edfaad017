package io.rigmesh.ledger;

import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.locks.LockSupport;

/// A node in small, as its own process: it deploys, then walks two jobs from funding to release,
/// and knows nothing of earlier runs but what the stores hold. At the step that it is told, it says
/// so and stops for its parent to kill it.
///
/// Arguments: the folder of the stores, the RPC endpoint, the requester's and the provider's secret
/// keys, and where to stop as `KEY_PREFIX@STEP`, or `nowhere`.
public final class CrashChild {
  static final TokenAmount PRICE = TokenAmount.of(1_000_000);
  static final TokenAmount DUE = TokenAmount.of(700_000);
  static final String STOPPED = "stopped at ";
  static final String DONE = "done";

  private CrashChild() {}

  static Hash jobId(String name) {
    return Digests.sha256(name.getBytes(StandardCharsets.US_ASCII));
  }

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    URI endpoint = URI.create(arguments[1]);
    AccountKey requesterKey = AccountKey.fromHex(arguments[2]);
    AccountKey providerKey = AccountKey.fromHex(arguments[3]);
    String stopAt = arguments[4];
    SendListener stop =
        (step, key) -> {
          int at = stopAt.indexOf('@');
          if (at > 0
              && key.startsWith(stopAt.substring(0, at))
              && step.name().equals(stopAt.substring(at + 1))) {
            System.out.println(STOPPED + key + "@" + step);
            System.out.flush();
            while (true) {
              LockSupport.park();
            }
          }
        };
    SenderSettings settings = SenderSettings.development();
    try (Party requester =
            Party.open(requesterKey, folder.resolve("requester.db"), endpoint, settings, stop);
        Party provider =
            Party.open(providerKey, folder.resolve("provider.db"), endpoint, settings, stop)) {
      Deployment deployment = DevDeployment.standard().deploy(requester.sender(), Party.TIMEOUT);
      // A node fixes a job's deadline once, when it takes the job in.
      Instant deadline = deadline(folder.resolve("deadline"), requester);
      Address account = requester.address();
      EscrowClient asRequester = requester.escrow(deployment);
      EscrowClient asProvider = provider.escrow(deployment);
      for (String name : new String[] {"a", "b"}) {
        Hash job = jobId(name);
        asRequester.fund(job, provider.address(), PRICE, deadline, 1);
        asProvider.accept(account, job);
        asProvider.submitProof(account, job, 1, jobId("root of " + name), DUE);
        asRequester.release(account, job, 1);
      }
      deployment.write(folder.resolve("deployment.json"));
    }
    System.out.println(DONE);
  }

  private static Instant deadline(Path file, Party requester) throws Exception {
    if (!Files.exists(file)) {
      long seconds = requester.rpc().head().timestamp().getEpochSecond() + 86_400;
      Files.writeString(file, Long.toString(seconds));
    }
    return Instant.ofEpochSecond(Long.parseLong(Files.readString(file)));
  }
}
