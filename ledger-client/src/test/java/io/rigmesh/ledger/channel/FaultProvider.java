package io.rigmesh.ledger.channel;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// The provider of a schedule: answers the requester's calls by its books and the escrow. Every
/// call may come again, since its answer may never arrive.
final class FaultProvider implements AutoCloseable {
  /// How an answer begins: it is done, it is to be asked for again, or it will never be done.
  static final String DONE = "done ";

  static final String LATER = "later ";
  static final String NEVER = "never ";

  private final FaultSchedule schedule;
  private final FaultNode node;
  private final FaultSteps steps;
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  FaultProvider(FaultSchedule schedule, FaultNode node, FaultSteps steps, Path folder) {
    this.schedule = schedule;
    this.node = node;
    this.steps = steps;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.setExecutor(threads);
      server.createContext("/", this::answer);
      server.start();
      Path written =
          Files.writeString(
              folder.resolve("port.new"), Integer.toString(server.getAddress().getPort()));
      Files.move(written, portFile(folder), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Where the requester reads how it is reached.
  static Path portFile(Path folder) {
    return folder.resolve("port");
  }

  private void answer(HttpExchange exchange) throws IOException {
    String asked =
        new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8).strip();
    String what = exchange.getRequestURI().getPath().substring(1);
    steps.step("asked to " + what);
    String answer;
    try {
      answer = DONE + answer(what, new FaultWords(asked));
    } catch (ChannelException e) {
      answer = NEVER + e.getMessage();
    } catch (LedgerException e) {
      answer = LATER + e.getMessage();
    } catch (RuntimeException e) {
      answer = NEVER + e;
    }
    steps.step("asked to " + what + ", which nobody has heard the answer to");
    try (exchange) {
      byte[] body = answer.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private String answer(String what, FaultWords words) {
    PayeeBook book = node.channels().payee;
    switch (what) {
      case "admit" -> {
        Hash job = words.hash();
        TokenAmount priceMax = words.amount();
        ChannelTerms terms = words.terms();
        if (book.admit(terms, job, priceMax, Books.LATER) instanceof Admission.Refused refused) {
          // It is not deep enough here.
          throw new LedgerException(refused.refusal().sentence());
        }
      }
      case "owe" -> book.owe(words.hash(), words.amount());
      case "take" -> {
        Taking taking = book.take(words.payment());
        if (!(taking instanceof Taking.Taken)) {
          throw new ChannelException("A good voucher is taken, and not: " + taking);
        }
      }
      case "end" -> end(book, words.hash(), words.amount());
      case "accept" -> {
        Acceptance acceptance =
            new Acceptance(
                words.hash(),
                words.address(),
                words.address(),
                words.amount(),
                Long.parseLong(words.word()),
                words.number());
        return acceptance
            .sign(schedule.key(FaultSchedule.Side.PROVIDER), node.escrow().domain())
            .hex();
      }
      case "settle" -> {
        Address requester = words.address();
        Approval approval =
            new Approval(
                words.hash(), words.address(), words.number(), words.hash(), words.amount());
        node.escrow().settle(requester, approval, Signature.fromHex(words.word()));
      }
      case "prove" ->
          node.escrow()
              .submitProof(
                  words.address(), words.hash(), words.number(), words.hash(), words.amount());
      case "decline" -> node.escrow().decline(words.address(), words.hash());
      default -> throw new IllegalArgumentException("nobody knows how to " + what);
    }
    return "";
  }

  /// Said once more where its answer was lost, or where this side had forgotten what is owed.
  private static void end(PayeeBook book, Hash job, TokenAmount price) {
    try {
      book.owe(job, price);
    } catch (ChannelException e) {
      // It has ended.
    }
    book.end(job);
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
