package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.chain.BlockLogs;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.function.Predicate;

/// Reads the logs that sources want: in ranges of old blocks by the endpoint's filters, or block by
/// block, with the same filters applied here.
final class LogReader {
  /// Above this many subjects an endpoint is asked for all, and the answer is looked through here.
  static final int SUBJECTS_ASKED_MAX = 64;

  private final ChainRpc rpc;
  private final FollowStore store;
  private final List<EventSource<?>> sources;

  LogReader(ChainRpc rpc, FollowStore store, List<EventSource<?>> sources) {
    this.rpc = rpc;
    this.store = store;
    this.sources = sources;
  }

  /// What is wanted of a range of blocks, in the order of the chain.
  List<FollowStore.Entry> range(long from, long to) {
    Map<Long, Optional<ChainHead>> headers = new HashMap<>();
    LongFunction<Optional<ChainHead>> blocks =
        number -> headers.computeIfAbsent(number, rpc::block);
    List<FollowStore.Entry> entries = new ArrayList<>();
    for (EventSource<?> source : sources) {
      List<ChainLog> logs = new ArrayList<>();
      for (LogPattern pattern : source.patterns()) {
        logs.addAll(rpc.logs(source.contract(), from, to, pattern.topics(), blocks));
      }
      source
          .subjects()
          .ifPresent(subjects -> {
            Map<Hash, Place> opened = opened(subjects, logs);
            Set<Hash> asked = new HashSet<>(opened.keySet());
            asked.addAll(store.openSubjects(source.name(), subjects, SUBJECTS_ASKED_MAX + 1));
            if (asked.isEmpty()) {
              return;
            }
            List<List<Hash>> topics = new ArrayList<>();
            topics.add(subjects.kinds());
            if (asked.size() <= SUBJECTS_ASKED_MAX) {
              topics.add(List.copyOf(asked));
            }
            rpc.logs(source.contract(), from, to, topics, blocks).stream()
                .filter(about(source, subjects, opened))
                .forEach(logs::add);
          });
      entries.addAll(entries(source, logs));
    }
    return inOrder(entries);
  }

  /// What is wanted of one block.
  ///
  /// @param untold what was read before it and is not stored yet
  List<FollowStore.Entry> block(BlockLogs block, List<FollowStore.Entry> untold) {
    List<FollowStore.Entry> entries = new ArrayList<>();
    for (EventSource<?> source : sources) {
      List<ChainLog> all =
          block.logs().stream().filter(log -> log.contract().equals(source.contract())).toList();
      if (all.isEmpty()) {
        continue;
      }
      List<ChainLog> logs =
          new ArrayList<>(all.stream().filter(log -> wants(source, log)).toList());
      source
          .subjects()
          .ifPresent(subjects -> {
            List<ChainLog> before = new ArrayList<>(logs);
            untold.stream()
                .filter(entry -> entry.source().equals(source.name()))
                .forEach(entry -> before.add(entry.log()));
            all.stream()
                .filter(log -> subjects.kinds().stream().anyMatch(log::isOf))
                .filter(about(source, subjects, opened(subjects, before)))
                .forEach(logs::add);
          });
      entries.addAll(entries(source, logs));
    }
    return inOrder(entries);
  }

  /// The contracts of all sources.
  List<Address> contracts() {
    return sources.stream().map(EventSource::contract).distinct().toList();
  }

  private static boolean wants(EventSource<?> source, ChainLog log) {
    return source.patterns().stream().anyMatch(pattern -> pattern.matches(log));
  }

  /// The subjects that logs open, and where.
  private static Map<Hash, Place> opened(Subjects subjects, List<ChainLog> logs) {
    Map<Hash, Place> opened = new HashMap<>();
    for (ChainLog log : logs) {
      if (log.isOf(subjects.openedBy()) && log.topics().size() > 1) {
        opened.merge(log.topics().get(1), log.place(), (a, b) -> a.compareTo(b) < 0 ? a : b);
      }
    }
    return opened;
  }

  /// What was said about a subject before it was opened is not wanted, however much is read at
  /// once.
  private Predicate<ChainLog> about(
      EventSource<?> source, Subjects subjects, Map<Hash, Place> opened) {
    return log -> {
      if (log.topics().size() < 2) {
        return false;
      }
      Hash subject = log.topics().get(1);
      Place since = opened.get(subject);
      return (since != null && since.compareTo(log.place()) < 0)
          || store.isSubject(source.name(), subjects, subject);
    };
  }

  /// A log may match several patterns, where an account is both parties.
  private static List<FollowStore.Entry> entries(EventSource<?> source, List<ChainLog> logs) {
    return logs.stream().distinct().map(log -> new FollowStore.Entry(source.name(), log)).toList();
  }

  private static List<FollowStore.Entry> inOrder(List<FollowStore.Entry> entries) {
    entries.sort(
        Comparator.comparing((FollowStore.Entry entry) -> entry.log().place())
            .thenComparing(FollowStore.Entry::source));
    return entries;
  }
}
