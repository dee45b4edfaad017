package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.kernels.KeyValuePages;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Who holds which page of a [StepRunner]'s pool, and which full pages can serve again a sequence
/// that begins like an earlier one.
///
/// A page is free, held by one or more sequences, or kept: full, named by the hash of all tokens up
/// to its end, and held by nobody. Kept pages are as good as free, the one let go the longest time
/// ago goes first. Sequences reserve what they can need at most before they start, so that [#take]
/// never fails in the middle. Not thread-safe.
final class PagePool {
  /// How many positions a page holds.
  static final int PAGE = KeyValuePages.PAGE;

  private final boolean keeps;
  private final int[] holders;
  private final @Nullable Hash[] names;
  private final int[] free;
  private int freeCount;

  /// The pages with a name, held or kept.
  private final Map<Hash, Integer> named = new HashMap<>();

  /// The kept pages, the one let go first in front.
  private final LinkedHashMap<Hash, Integer> kept = new LinkedHashMap<>();

  private int reserved;

  /// @param keeps whether pages serve again; without, every page is computed anew
  PagePool(int pages, boolean keeps) {
    this.keeps = keeps;
    this.holders = new int[pages];
    this.names = new Hash[pages];
    this.free = new int[pages];
    for (int i = 0; i < pages; i++) {
      // The lowest page is taken first.
      free[i] = pages - 1 - i;
    }
    this.freeCount = pages;
  }

  int size() {
    return holders.length;
  }

  /// How many pages could be reserved now.
  int available() {
    return freeCount + kept.size() - reserved;
  }

  /// How many pages sequences hold.
  int held() {
    return size() - freeCount - kept.size();
  }

  /// How many pages are kept for nobody in particular.
  int kept() {
    return kept.size();
  }

  /// How many of the first of these names are here.
  int match(List<Hash> wanted) {
    int count = 0;
    while (count < wanted.size() && named.containsKey(wanted.get(count))) {
      count++;
    }
    return count;
  }

  /// Holds the pages of these names, all of which are here, and reserves so many more; nothing
  /// happens if there is no room for that.
  ///
  /// @param into gets the pages
  boolean tryHold(List<Hash> wanted, int more, int[] into) {
    int unkept = 0;
    for (Hash name : wanted) {
      if (kept.containsKey(name)) {
        unkept++;
      }
    }
    if (unkept + more > available()) {
      return false;
    }
    for (int i = 0; i < wanted.size(); i++) {
      Hash name = wanted.get(i);
      Integer page = named.get(name);
      if (page == null) {
        throw new IllegalStateException("no page is named " + name);
      }
      kept.remove(name);
      holders[page]++;
      into[i] = page;
    }
    reserved += more;
    return true;
  }

  /// Takes one of the reserved pages.
  int take() {
    if (reserved == 0) {
      throw new IllegalStateException("no page is reserved");
    }
    reserved--;
    int page;
    if (freeCount > 0) {
      page = free[--freeCount];
    } else {
      Iterator<Map.Entry<Hash, Integer>> oldest = kept.entrySet().iterator();
      Map.Entry<Hash, Integer> entry = oldest.next();
      oldest.remove();
      named.remove(entry.getKey());
      page = entry.getValue();
      names[page] = null;
    }
    holders[page] = 1;
    return page;
  }

  /// Gives reserved pages back that were not taken.
  void unreserve(int pages) {
    reserved -= pages;
  }

  /// Names a full page that one sequence holds. It is not written any more.
  void name(int page, Hash name) {
    if (keeps && names[page] == null && !named.containsKey(name)) {
      names[page] = name;
      named.put(name, page);
    }
  }

  /// Lets a page go. A sequence lets its last page go first, so that of a kept beginning the end is
  /// used up first.
  void release(int page) {
    if (holders[page] == 0) {
      throw new IllegalStateException("page " + page + " is held by nobody");
    }
    holders[page]--;
    if (holders[page] > 0) {
      return;
    }
    Hash name = names[page];
    if (name == null) {
      free[freeCount++] = page;
    } else {
      kept.put(name, page);
    }
  }
}
