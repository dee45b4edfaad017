package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class RemoteStreamIdsTest {
  @Test
  void aDialersIdsAreOddAndAListenersEven() {
    RemoteStreamIds dialers = new RemoteStreamIds(true);
    assertThat(dialers.take(1)).isTrue();
    assertThat(dialers.take(2)).isFalse();
    RemoteStreamIds listeners = new RemoteStreamIds(false);
    assertThat(listeners.take(2)).isTrue();
    assertThat(listeners.take(1)).isFalse();
  }

  @Test
  void anIdOvertakenByItsSuccessorIsStillNew() {
    RemoteStreamIds ids = new RemoteStreamIds(true);
    assertThat(ids.take(5)).isTrue();
    assertThat(ids.take(3)).isTrue();
    assertThat(ids.take(3)).isFalse();
    assertThat(ids.take(1)).isTrue();
  }

  @Test
  void anIdFarBelowTheHighestIsOld() {
    RemoteStreamIds ids = new RemoteStreamIds(true);
    assertThat(ids.take(1_000_001)).isTrue();
    assertThat(ids.take(1)).isFalse();
    assertThat(ids.reached(1)).isTrue();
    assertThat(ids.reached(1_000_003)).isFalse();
  }

  @Test
  void theLastIdThereIsCanBeTaken() {
    RemoteStreamIds ids = new RemoteStreamIds(true);
    assertThat(ids.take(0xffff_ffffL)).isTrue();
    assertThat(ids.take(0xffff_fffdL)).isTrue();
  }

  @Property
  void noIdIsTakenTwiceAndNoneWithinTheWindowIsLost(
      @ForAll @Size(max = 400) List<@IntRange(max = 1500) Integer> halves) {
    RemoteStreamIds ids = new RemoteStreamIds(true);
    Set<Long> taken = new HashSet<>();
    long highest = -1;
    for (int half : halves) {
      long id = 2L * half + 1;
      boolean recent = id > highest - 2048;
      boolean expected = recent && !taken.contains(id);
      assertThat(ids.take(id)).isEqualTo(expected);
      if (expected) {
        taken.add(id);
        highest = Math.max(highest, id);
      }
    }
  }
}
