package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.protocol.AccountKey;
import java.net.URI;
import java.nio.file.Path;

/// A schedule as its own process, for its parent to kill.
///
/// Arguments: the seed, the folder of the stores, the deployment file, the requester's and the
/// provider's secret keys, their endpoints, and the number of the run.
public final class FaultChild {
  static final String WORKING = "working";
  static final String DONE = "done";

  private FaultChild() {}

  public static void main(String[] arguments) {
    FaultSchedule schedule =
        new FaultSchedule(
            Long.parseLong(arguments[0]),
            Path.of(arguments[1]),
            Deployment.read(Path.of(arguments[2])),
            AccountKey.fromHex(arguments[3]),
            AccountKey.fromHex(arguments[4]),
            URI.create(arguments[5]),
            URI.create(arguments[6]));
    System.out.println(WORKING);
    System.out.flush();
    schedule.work(Integer.parseInt(arguments[7]));
    System.out.println(DONE);
    System.out.flush();
  }
}
