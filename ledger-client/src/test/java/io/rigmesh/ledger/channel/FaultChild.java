package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.dev.Deployment;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/// One side of schedules as a process of its own. Its parent tells it by lines what to do: to work
/// on a schedule's side, to die by SIGKILL after so many steps, to stop. It ends with its input.
public final class FaultChild {
  static final String WORK = "work";
  static final String DIE = "die";
  static final String STOP = "stop";

  private final FaultSteps steps = new FaultSteps();
  private CountDownLatch stop = new CountDownLatch(0);

  private FaultChild() {}

  public static void main(String[] arguments) throws Exception {
    FaultChild child = new FaultChild();
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      String line;
      while ((line = in.readLine()) != null) {
        child.obey(line.split("\t"));
      }
    }
    Runtime.getRuntime().halt(0);
  }

  /// The line that has a side work.
  static String work(
      long seed, FaultSchedule.Side side, int run, Path deployment, FaultNode.Place place) {
    return String.join(
        "\t",
        WORK,
        Long.toString(seed),
        side.name(),
        Integer.toString(run),
        deployment.toString(),
        place.folder().toString(),
        Long.toString(place.startSeconds()),
        place.endpoints().get(0).toString(),
        place.endpoints().get(1).toString());
  }

  private void obey(String[] words) {
    switch (words[0]) {
      case DIE -> steps.dieAfter(Integer.parseInt(words[1]));
      case STOP -> stop.countDown();
      case WORK -> {
        stop = new CountDownLatch(1);
        CountDownLatch until = stop;
        Thread.ofPlatform().name("work").start(() -> work(words, until));
      }
      default -> throw new IllegalArgumentException("nobody knows how to " + words[0]);
    }
  }

  private void work(String[] words, CountDownLatch until) {
    try {
      FaultSchedule schedule = FaultSchedule.of(Long.parseLong(words[1]));
      FaultSchedule.Side side = FaultSchedule.Side.valueOf(words[2]);
      int run = Integer.parseInt(words[3]);
      FaultNode.Place place =
          new FaultNode.Place(
              Path.of(words[5]),
              Deployment.read(Path.of(words[4])),
              List.of(URI.create(words[7]), URI.create(words[8])),
              Long.parseLong(words[6]));
      FaultNode node =
          FaultNode.open(
              schedule,
              side,
              place,
              steps,
              new FaultClock(schedule.seed() * 97 + run * 2L + side.ordinal()));
      say("opened");
      switch (side) {
        case PROVIDER -> {
          try (node;
              FaultProvider _ = new FaultProvider(schedule, node, steps, place.folder())) {
            until.await();
          }
        }
        case REQUESTER -> {
          try (FaultRequester requester =
              new FaultRequester(
                  schedule,
                  run,
                  node,
                  steps,
                  place,
                  closesAt -> say("leaving " + closesAt),
                  closesAt -> say("over " + closesAt))) {
            requester.work();
          }
        }
      }
      say("done");
    } catch (Throwable e) {
      e.printStackTrace(System.out);
      say("failed " + e);
    }
  }

  private static void say(String what) {
    synchronized (System.out) {
      System.out.println(FaultProcess.SAYS + what);
      System.out.flush();
    }
  }
}
