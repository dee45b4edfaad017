package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.generate.FinishReason;
import io.rigmesh.worker.generate.TokenHistory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// One sequence on its way through an engine: its tokens, how far they are computed, and its pages.
/// Guarded by the engine's lock.
final class Sequence {
  final SequenceRequest request;
  final TokenStream stream;
  final TokenHistory history;
  private final int promptLength;
  private final int positionsMax;
  private final PageNames names;

  /// The tokens known so far: prompt, known ones, generated ones.
  private int[] tokens;

  private int length;

  /// How many of them have their keys and values in the pages.
  private int computed;

  /// How many of them the model itself chose, or the prompt has: no later step can change them.
  private int confirmed;

  private int[] pageTable;
  private int pages;
  private int namedPages;

  /// Pages that are reserved and not taken.
  private int reservedPages;

  /// How many tokens its stream has been given.
  private int generated;

  /// How many it could have been given when the step was planned: the same in all of a plan.
  private long allowed;

  Sequence(SequenceRequest request, TokenStream stream, int positionsMax) {
    this.request = request;
    this.stream = stream;
    this.positionsMax = positionsMax;
    int[] prompt = request.generation().promptTokens();
    this.history = TokenHistory.of(prompt);
    this.promptLength = prompt.length;
    int[] known = request.known();
    // The last token of a claim is only compared, never read.
    int read = request.mode() == SequenceRequest.Mode.REPLAY ? known.length - 1 : known.length;
    this.tokens = Arrays.copyOf(prompt, prompt.length + read + 1);
    System.arraycopy(known, 0, tokens, prompt.length, read);
    this.length = prompt.length + read;
    this.confirmed =
        request.mode() == SequenceRequest.Mode.REPLAY ? this.length : this.promptLength;
    this.allowed = request.allowed();
    this.names = new PageNames(request.scope());
    this.pageTable = new int[pagesMax()];
  }

  int promptLength() {
    return promptLength;
  }

  int generated() {
    return generated;
  }

  void generated(int count) {
    generated = count;
  }

  /// The pages that it needs at most. The last token of a sequence is never read.
  int pagesMax() {
    long positions =
        request.mode() == SequenceRequest.Mode.REPLAY
            ? length
            : Math.min(promptLength + (long) request.generation().tokensMax(), positionsMax) - 1;
    return (int) ((Math.max(positions, length) + PagePool.PAGE - 1) / PagePool.PAGE);
  }

  /// Takes its place in the pool: what is there of its beginning, and a promise of the rest.
  boolean tryEnter(PagePool pool) {
    // The last row of the prompt is computed in any case: the first token comes from it.
    List<Hash> beginning = names.of(tokens, (promptLength - 1) / PagePool.PAGE);
    int found = pool.match(beginning);
    if (!pool.tryHold(beginning.subList(0, found), pagesMax() - found, pageTable)) {
      return false;
    }
    pages = found;
    namedPages = found;
    computed = found * PagePool.PAGE;
    reservedPages = pagesMax() - found;
    return true;
  }

  /// How many positions were there already when it entered, or are computed since.
  int computed() {
    return computed;
  }

  /// Looks at what it may do in the next step; false if that is nothing.
  boolean mayGoOn() {
    allowed = stream.allowed();
    return generated < allowed && !stream.rests();
  }

  /// How many rows may be computed: none behind that of the last token that it is allowed.
  int rowsWaiting() {
    long end = allowed > positionsMax ? length : Math.min(length, promptLength - 1 + allowed);
    return (int) end - computed;
  }

  /// How many outputs the next `rows` rows have.
  int outputs(int rows) {
    return Math.max(0, computed + rows - Math.max(computed, promptLength - 1));
  }

  /// The segment of the next rows; takes pages as they are needed.
  Segment segment(PagePool pool, int firstRow, int rows) {
    int needed = (computed + rows + PagePool.PAGE - 1) / PagePool.PAGE;
    while (pages < needed) {
      pageTable[pages++] = pool.take();
      reservedPages--;
    }
    return new Segment(firstRow, rows, computed, Arrays.copyOf(pageTable, needed), outputs(rows));
  }

  void copyTokens(int rows, int[] into, int at) {
    System.arraycopy(tokens, computed, into, at, rows);
  }

  /// The token at a position, if it is known.
  Optional<Integer> tokenAt(int position) {
    return position < length ? Optional.of(tokens[position]) : Optional.empty();
  }

  /// The next rows are in their pages.
  void advance(int rows) {
    computed += rows;
  }

  /// The model chose the token of a position, the first that is not confirmed: known ones from
  /// there on that differ are forgotten.
  void choose(int position, int tokenId) {
    if (position >= length || tokens[position] != tokenId) {
      if (position == tokens.length) {
        tokens = Arrays.copyOf(tokens, Math.min(2 * tokens.length, positionsMax + 1));
      }
      tokens[position] = tokenId;
      length = position + 1;
      // What was computed behind it read another token.
      computed = Math.min(computed, position);
    }
    confirmed = position + 1;
  }

  /// Names the pages that are full of tokens that cannot change.
  void namePages(PagePool pool) {
    int full = Math.min(computed, confirmed) / PagePool.PAGE;
    List<Hash> all = names.of(tokens, full);
    for (; namedPages < full; namedPages++) {
      pool.name(pageTable[namedPages], all.get(namedPages));
    }
  }

  /// Why no token follows the one just chosen, if none does.
  ///
  /// @param count how many tokens are generated with it
  Optional<FinishReason> reasonToStop(int count, int tokenId) {
    if (request.mode() == SequenceRequest.Mode.REPLAY) {
      return count == request.known().length
          ? Optional.of(FinishReason.CLAIM_ENDED)
          : Optional.empty();
    }
    return request.generation().reasonToStop(count, tokenId, positionsMax);
  }

  /// Gives everything back.
  void leave(PagePool pool) {
    while (pages > 0) {
      pool.release(pageTable[--pages]);
    }
    pool.unreserve(reservedPages);
    reservedPages = 0;
  }
}
