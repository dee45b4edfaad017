package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.generate.Ending;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.Logprobs;
import io.rigmesh.worker.generate.Sampler;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.serve.EngineException.Reason;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Generates for many at once from one loaded model: sequences join and leave between steps, parts
/// of prompts share steps with decodes, and equal beginnings are computed once.
///
/// A sequence is let in, in order of arrival, once the pages that it can need at most are there, so
/// no sequence is ever put out for want of memory. What a sequence gives does not depend on any of
/// this: every row's bits depend on its own sequence alone. A sequence whose numbers overflow fails
/// alone. Safe for use by several threads; the model runs on one of its own.
public final class Engine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Engine.class);

  /// How long the engine sleeps at most while sequences rest, so that deadlines are kept.
  private static final long REST_MILLIS = 50;

  private final StepRunner runner;
  private final Kernels host;
  private final EngineLimits limits;
  private final LlamaConfig config;
  private final Sampler sampler;
  private final RowShares shares;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
  private final List<Sequence> running = new ArrayList<>();
  private final PagePool pool;
  private boolean closed;
  private boolean woken;
  private long steps;
  private long rows;
  private long promptTokensShared;

  /// Starts the engine's thread.
  ///
  /// @param runner the model; closed with the engine
  /// @param host what samples, used by the engine's thread alone while sequences run
  public Engine(StepRunner runner, Kernels host, EngineLimits limits) {
    this.runner = runner;
    this.host = host;
    this.limits = limits;
    this.config = runner.config();
    this.sampler = new Sampler(host, config.vocabularySize());
    this.shares =
        new RowShares(Math.min(limits.stepRowsMax(), runner.rowsMax()), runner.outputsMax());
    this.pool = new PagePool(runner.pages(), limits.prefixCache());
    this.thread = Thread.ofPlatform().name("engine").daemon().start(this::loop);
  }

  /// The model's sizes.
  public LlamaConfig config() {
    return config;
  }

  /// The arithmetic.
  public Profile profile() {
    return runner.profile();
  }

  /// Takes a sequence.
  ///
  /// @throws EngineException if it is not taken, saying why
  /// @throws IllegalArgumentException if it does not fit the model
  public TokenStream submit(SequenceRequest request) {
    check(request);
    TokenStream stream = new TokenStream(limits.unreadMax(), request.allowed(), this::wake);
    Sequence sequence = new Sequence(request, stream, config.positionsMax());
    if (sequence.pagesMax() > pool.size()) {
      throw new EngineException(
          Reason.TOO_LONG,
          "Prompt and answer can need %d pages of %d tokens, and this engine has %d; ask for fewer tokens."
              .formatted(sequence.pagesMax(), PagePool.PAGE, pool.size()));
    }
    lock.lock();
    try {
      if (closed) {
        throw new EngineException(Reason.CLOSED, "The engine is closed.");
      }
      if (waiting.size() >= limits.waitingMax()) {
        throw new EngineException(
            Reason.BUSY,
            "%d sequences wait already, and no more may; try again later."
                .formatted(waiting.size()));
      }
      waiting.addLast(sequence);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    return stream;
  }

  /// How the engine stands.
  public EngineStats stats() {
    lock.lock();
    try {
      return new EngineStats(
          running.size(),
          waiting.size(),
          pool.size(),
          pool.held(),
          pool.kept(),
          steps,
          rows,
          promptTokensShared);
    } finally {
      lock.unlock();
    }
  }

  /// Ends all sequences with [Reason#CLOSED], waits for the running step and closes the model.
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException e) {
        // Memory that a step still writes must not be given back.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    runner.close();
  }

  private void check(SequenceRequest request) {
    int prompt = request.generation().prompt().size();
    if (prompt >= config.positionsMax()) {
      throw new IllegalArgumentException(
          "The prompt has %d tokens, but at most %d leave room for an answer; shorten it."
              .formatted(prompt, config.positionsMax() - 1));
    }
    int allowed = Math.min(request.generation().tokensMax(), config.positionsMax() - prompt);
    if (request.known().length > allowed) {
      throw new IllegalArgumentException(
          "%d tokens are claimed, but this request and model allow %d."
              .formatted(request.known().length, allowed));
    }
    for (int token : request.generation().prompt()) {
      checkToken(token);
    }
    for (int token : request.known()) {
      checkToken(token);
    }
    request.generation().sampling().bias().keySet().forEach(this::checkToken);
  }

  private void checkToken(int token) {
    if (token < 0 || token >= config.vocabularySize()) {
      throw new IllegalArgumentException(
          "There is no token %d: the vocabulary of this model runs from 0 to %d."
              .formatted(token, config.vocabularySize() - 1));
    }
  }

  private void wake() {
    lock.lock();
    try {
      woken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void loop() {
    RuntimeException end = new EngineException(Reason.CLOSED, "The engine was closed.");
    try {
      while (true) {
        Optional<List<RowShares.Share>> planned = awaitPlan();
        if (planned.isEmpty()) {
          break;
        }
        step(planned.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      LOG.error("the engine ends by a fault", e);
      end = new EngineException(Reason.CLOSED, "The engine failed: " + e, e);
    }
    endAll(end);
  }

  private void endAll(RuntimeException cause) {
    lock.lock();
    try {
      closed = true;
      for (Sequence sequence : List.copyOf(running)) {
        leave(sequence, new SequenceEvent.Failed(cause));
      }
      waiting.forEach(sequence -> sequence.stream.put(new SequenceEvent.Failed(cause)));
      waiting.clear();
    } finally {
      lock.unlock();
    }
  }

  /// Waits for something to compute; empty once the engine is closed.
  private Optional<List<RowShares.Share>> awaitPlan() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!closed) {
        woken = false;
        dropEnded();
        letIn();
        List<RowShares.Share> plan = shares.of(running.stream().filter(Sequence::mayGoOn).toList());
        if (!plan.isEmpty()) {
          return Optional.of(plan);
        }
        if (running.isEmpty() && waiting.isEmpty()) {
          changed.await();
        } else if (!woken) {
          changed.await(REST_MILLIS, TimeUnit.MILLISECONDS);
        }
      }
      return Optional.empty();
    } finally {
      lock.unlock();
    }
  }

  /// Puts out whoever was cancelled or whose time is over.
  private void dropEnded() {
    long now = System.nanoTime();
    for (Sequence sequence : List.copyOf(running)) {
      reasonToDrop(sequence, now)
          .ifPresent(reason -> leave(sequence, ended(sequence.generated(), reason)));
    }
    waiting.removeIf(sequence -> {
      Optional<FinishReason> reason = reasonToDrop(sequence, now);
      reason.ifPresent(r -> sequence.stream.put(ended(0, r)));
      return reason.isPresent();
    });
  }

  private static Optional<FinishReason> reasonToDrop(Sequence sequence, long nowNanos) {
    if (sequence.stream.cancelled()) {
      return Optional.of(FinishReason.CANCELLED);
    }
    var deadline = sequence.request.deadlineNanos();
    return deadline.isPresent() && nowNanos - deadline.getAsLong() >= 0
        ? Optional.of(FinishReason.DEADLINE)
        : Optional.empty();
  }

  /// Lets in who waits, strictly in order of arrival: else a large one could wait for ever.
  private void letIn() {
    while (!waiting.isEmpty() && running.size() < limits.sequencesMax()) {
      Sequence first = waiting.getFirst();
      if (!first.tryEnter(pool)) {
        return;
      }
      waiting.removeFirst();
      running.add(first);
      int shared = first.computed();
      promptTokensShared += shared;
      first.stream.shared(shared);
    }
  }

  private void leave(Sequence sequence, SequenceEvent last) {
    running.remove(sequence);
    sequence.leave(pool);
    sequence.stream.put(last);
  }

  private static SequenceEvent ended(int tokens, FinishReason reason) {
    return new SequenceEvent.Ended(new Ending(tokens, reason));
  }

  private void step(List<RowShares.Share> plan) {
    try {
      run(plan);
    } catch (RuntimeException together) {
      if (plan.size() == 1) {
        fail(plan.getFirst().sequence(), together);
        return;
      }
      // One of them is at fault, and the others must not suffer; a row computed twice has the same
      // bits.
      for (RowShares.Share share : plan) {
        try {
          run(List.of(share));
        } catch (RuntimeException alone) {
          fail(share.sequence(), alone);
        }
      }
    }
  }

  private void fail(Sequence sequence, RuntimeException cause) {
    lock.lock();
    try {
      leave(sequence, new SequenceEvent.Failed(cause));
    } finally {
      lock.unlock();
    }
  }

  private void run(List<RowShares.Share> plan) {
    List<Segment> segments = new ArrayList<>(plan.size());
    int[] tokenIds = new int[plan.stream().mapToInt(RowShares.Share::rows).sum()];
    int row = 0;
    lock.lock();
    try {
      for (RowShares.Share share : plan) {
        share.sequence().copyTokens(share.rows(), tokenIds, row);
        segments.add(share.sequence().segment(pool, row, share.rows()));
        row += share.rows();
      }
    } finally {
      lock.unlock();
    }
    StepOutput output = runner.run(new Step(tokenIds, segments));
    int[] sampled = fetch(plan, output, segments);
    lock.lock();
    try {
      steps++;
      rows += tokenIds.length;
    } finally {
      lock.unlock();
    }
    int firstOutput = 0;
    for (int i = 0; i < plan.size(); i++) {
      Sequence sequence = plan.get(i).sequence();
      Segment segment = segments.get(i);
      try {
        take(sequence, segment, output, sampled, firstOutput);
      } catch (RuntimeException e) {
        // Choosing a token failed, which is this sequence's alone.
        fail(sequence, e);
      }
      firstOutput += segment.outputRows();
    }
  }

  /// Computes what will be asked for, so that what overflows does so before a token is chosen.
  /// Gives the tokens that the runner itself chose, [StepOutput#ON_HOST] for all others.
  private static int[] fetch(
      List<RowShares.Share> plan, StepOutput output, List<Segment> segments) {
    List<Draw> draws = new ArrayList<>();
    int outputs = 0;
    boolean logits = false;
    for (int i = 0; i < plan.size(); i++) {
      Segment segment = segments.get(i);
      if (segment.outputRows() > 0) {
        Sequence sequence = plan.get(i).sequence();
        if (sequence.request.generation().sampling().isArgmax()) {
          output.argmax();
        } else {
          addDraws(sequence, segment, outputs, draws);
          logits |= segment.outputRows() > drawsOf(sequence, segment);
        }
        logits |= sequence.request.logprobs() >= 0;
      }
      outputs += segment.outputRows();
    }
    int[] tokens = new int[outputs];
    Arrays.fill(tokens, StepOutput.ON_HOST);
    if (!draws.isEmpty()) {
      int[] sampled = output.sample(draws);
      for (int i = 0; i < sampled.length; i++) {
        tokens[draws.get(i).output()] = sampled[i];
        logits |= sampled[i] == StepOutput.ON_HOST;
      }
    }
    if (logits) {
      output.logits();
    }
    return tokens;
  }

  private static void addDraws(
      Sequence sequence, Segment segment, int firstOutput, List<Draw> draws) {
    int position = segment.endPosition() - segment.outputRows() + 1;
    for (int i = 0; i < drawsOf(sequence, segment); i++) {
      draws.add(
          new Draw(
              firstOutput + i,
              sequence.request.generation().sampling(),
              sequence.history,
              position + i));
    }
  }

  /// How many of a segment's tokens can be chosen at once: with penalties each one's history must
  /// be known, which is only the first one's.
  private static int drawsOf(Sequence sequence, Segment segment) {
    boolean penalties = !sequence.request.generation().sampling().penalties().isNone();
    return penalties ? Math.min(1, segment.outputRows()) : segment.outputRows();
  }

  /// Chooses the tokens that a segment's outputs give.
  private void take(
      Sequence sequence, Segment segment, StepOutput output, int[] sampled, int firstOutput) {
    sequence.advance(segment.rows());
    SequenceRequest request = sequence.request;
    boolean replay = request.mode() == SequenceRequest.Mode.REPLAY;
    int first = segment.endPosition() - segment.outputRows() + 1;
    Optional<FinishReason> reason = Optional.empty();
    for (int i = 0; i < segment.outputRows() && reason.isEmpty(); i++) {
      int position = first + i;
      int index = position - sequence.promptLength();
      GeneratedToken token = token(sequence, output, sampled, firstOutput + i, index, position);
      sequence.stream.put(
          new SequenceEvent.Token(
              token, logprobs(request, output, firstOutput + i, token.tokenId())));
      boolean expected =
          replay || sequence.tokenAt(position).filter(t -> t == token.tokenId()).isPresent();
      int before = replay ? request.known()[index] : token.tokenId();
      if (!replay) {
        sequence.choose(position, before);
      }
      sequence.history.add(before);
      sequence.generated(index + 1);
      reason = sequence.reasonToStop(index + 1, before);
      if (!expected) {
        // The rows behind it read another token.
        break;
      }
    }
    lock.lock();
    try {
      sequence.namePages(pool);
      if (reason.isPresent()) {
        leave(sequence, ended(sequence.generated(), reason.get()));
      }
    } finally {
      lock.unlock();
    }
  }

  private GeneratedToken token(
      Sequence sequence, StepOutput output, int[] sampled, int row, int index, int position) {
    var sampling = sequence.request.generation().sampling();
    int tokenId = sampling.isArgmax() ? output.argmax()[row] : sampled[row];
    if (tokenId == StepOutput.ON_HOST) {
      tokenId =
          sampler.token(output.logits().rows(row, row + 1), sampling, sequence.history, position);
    }
    Tensor hidden = output.hidden().rows(row, row + 1).copy();
    return new GeneratedToken(index, position, tokenId, hidden);
  }

  private Optional<Logprobs> logprobs(
      SequenceRequest request, StepOutput output, int row, int tokenId) {
    if (request.logprobs() < 0) {
      return Optional.empty();
    }
    Tensor logits = output.logits().rows(row, row + 1);
    return Optional.of(Logprobs.of(host, logits, tokenId, request.logprobs()));
  }
}
