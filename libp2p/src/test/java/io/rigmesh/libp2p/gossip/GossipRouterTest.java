package io.rigmesh.libp2p.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The rules of gossipsub, one by one, on one router.
class GossipRouterTest {
  private static final String TOPIC = "/test/1";
  private static final PeerId SELF = Messages.peer(-1);
  private static final PeerId AUTHOR = Messages.peer(-2);
  private static final MeshParameters MESH = MeshParameters.defaults();

  private long now = 1_000_000;
  private GossipConfig config = GossipConfig.defaults();
  private GossipRouter router = router();

  private GossipRouter router() {
    return new GossipRouter(
        SELF, config, new Random(1), peer -> ByteString.copyFromUtf8("record " + peer), now);
  }

  private void configure(GossipConfig other) {
    config = other;
    router = router();
  }

  /// Peers that subscribe to the topic, by number.
  private void add(int from, int to, boolean outbound) {
    for (int i = from; i < to; i++) {
      add(i, PeerFeatures.MESHSUB_1_2, outbound);
    }
  }

  private List<Action> add(int number, ProtocolId protocol, boolean outbound) {
    PeerId peer = Messages.peer(number);
    List<Action> actions =
        router.addPeer(peer, PeerFeatures.of(protocol), outbound, Optional.empty());
    receive(number, rpc -> rpc.subscriptions.add(new Rpc.Subscription(TOPIC, true)));
    return actions;
  }

  private List<Action> receive(int number, java.util.function.Consumer<Rpc.Builder> content) {
    Rpc.Builder rpc = Rpc.builder();
    content.accept(rpc);
    return router.receive(Messages.peer(number), rpc.build(), now);
  }

  private List<Action> graft(int number) {
    return receive(number, rpc -> rpc.grafts.add(TOPIC));
  }

  private List<Action> prune(int number, Duration backoff, Rpc.Offered... offered) {
    return receive(
        number,
        rpc -> rpc.prunes.add(new Rpc.Prune(TOPIC, List.of(offered), Optional.of(backoff))));
  }

  private List<Action> heartbeats(int count) {
    List<Action> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      now += 1000;
      all.addAll(router.heartbeat(now));
    }
    return all;
  }

  /// A message goes all the way: brought, verified, accepted.
  private List<Action> accept(int from, Message message) {
    List<Action> all = new ArrayList<>(receive(from, rpc -> rpc.messages.add(message)));
    all.addAll(router.verified(message, true, now));
    all.addAll(router.judged(message.id(), Topic.Verdict.ACCEPT, now));
    return all;
  }

  private static Message message(long sequence) {
    return Messages.message(TOPIC, AUTHOR, sequence, "data " + sequence);
  }

  private static Message large(long sequence) {
    return Messages.message(TOPIC, AUTHOR, sequence, "x".repeat(5000));
  }

  private static <T> Stream<T> sent(List<Action> actions, Function<Rpc, List<T>> part) {
    return sends(actions).flatMap(send -> part.apply(send.rpc()).stream());
  }

  private static Stream<Action.Send> sends(List<Action> actions) {
    return actions.stream().filter(Action.Send.class::isInstance).map(Action.Send.class::cast);
  }

  private static List<PeerId> receivers(List<Action> actions, Message message) {
    return sends(actions)
        .filter(send -> send.rpc().messages().contains(message))
        .map(Action.Send::peer)
        .toList();
  }

  private static long deliveries(List<Action> actions) {
    return actions.stream().filter(Action.Deliver.class::isInstance).count();
  }

  private double score(int number) {
    return router.score(Messages.peer(number));
  }

  private int meshSize() {
    return router.mesh(TOPIC).size();
  }

  // Subscriptions and joining

  @Test
  void newPeersAreToldOfTheSubscriptions() {
    router.join(TOPIC, now);
    assertThat(sent(add(1, PeerFeatures.MESHSUB_1_1, false), Rpc::subscriptions))
        .containsExactly(new Rpc.Subscription(TOPIC, true));
  }

  @Test
  void joiningTellsAllAndGraftsD() {
    add(0, 20, false);
    List<Action> actions = router.join(TOPIC, now);
    assertThat(sent(actions, Rpc::subscriptions)).hasSize(20);
    assertThat(sent(actions, Rpc::grafts)).hasSize(6);
    assertThat(router.mesh(TOPIC)).hasSize(6);
  }

  @Test
  void leavingTellsAllAndPrunesWithTheShorterBackoff() {
    add(0, 20, false);
    router.join(TOPIC, now);
    List<Action> actions = router.leave(TOPIC, now);
    assertThat(sent(actions, Rpc::subscriptions))
        .hasSize(20)
        .containsOnly(new Rpc.Subscription(TOPIC, false));
    assertThat(sent(actions, Rpc::prunes))
        .hasSize(6)
        .allMatch(prune -> prune.backoff().equals(Optional.of(Duration.ofSeconds(10))));
    assertThat(meshSize()).isZero();
  }

  @Test
  void subscriptionsOfOnePeerAreBounded() {
    router.addPeer(
        Messages.peer(1), PeerFeatures.of(PeerFeatures.MESHSUB_1_1), false, Optional.empty());
    receive(
        1,
        rpc -> {
          for (int i = 0; i < 1000; i++) {
            rpc.subscriptions.add(new Rpc.Subscription("/topic/" + i, true));
          }
        });
    long known =
        java.util.stream.IntStream.range(0, 1000)
            .filter(i -> !router.peers("/topic/" + i).isEmpty())
            .count();
    assertThat(known).isEqualTo(GossipLimits.defaults().peerTopicsMax());
  }

  @Test
  void whoUnsubscribesLeavesTheMesh() {
    add(0, 3, false);
    router.join(TOPIC, now);
    assertThat(meshSize()).isEqualTo(3);
    receive(1, rpc -> rpc.subscriptions.add(new Rpc.Subscription(TOPIC, false)));
    assertThat(router.mesh(TOPIC)).hasSize(2).doesNotContain(Messages.peer(1));
    assertThat(router.peers(TOPIC)).hasSize(2);
  }

  // GRAFT, PRUNE and backoff

  @Test
  void aGraftOfAnUnknownTopicGetsNoAnswer() {
    add(0, 1, false);
    assertThat(graft(0)).isEmpty();
  }

  @Test
  void aFullMeshTakesOnlyPeersThatThisHostDialled() {
    router.join(TOPIC, now);
    add(0, 14, false);
    for (int i = 0; i < 12; i++) {
      assertThat(graft(i)).isEmpty();
    }
    List<Action> refusal = graft(12);
    assertThat(sent(refusal, Rpc::prunes))
        .singleElement()
        .satisfies(prune -> {
          assertThat(prune.backoff()).contains(Duration.ofSeconds(60));
          assertThat(prune.peers()).hasSize(13).allMatch(offer -> !offer.record().isEmpty());
          assertThat(prune.peers()).noneMatch(offer -> offer.peer().equals(Messages.peer(12)));
        });
    add(20, PeerFeatures.MESHSUB_1_2, true);
    assertThat(graft(20)).isEmpty();
    assertThat(meshSize()).isEqualTo(13);
  }

  @Test
  void aGraftDuringBackoffIsPrunedAndPenalisedTwiceWhenItComesAtOnce() {
    configure(config.with(withBehaviourThreshold(0)));
    router.join(TOPIC, now);
    add(0, 2, false);
    graft(0);
    prune(0, Duration.ofSeconds(60));
    now += 30_000;
    assertThat(sent(graft(0), Rpc::prunes)).hasSize(1);
    assertThat(score(0)).isEqualTo(-10);
    // The refusal has begun a new backoff; within ten seconds of it the next counts twice.
    now += 1000;
    assertThat(sent(graft(0), Rpc::prunes))
        .singleElement()
        .satisfies(prune -> assertThat(prune.peers()).isEmpty());
    assertThat(score(0)).isEqualTo(-90);
    assertThat(meshSize()).isZero();
  }

  private static ScoreParameters withBehaviourThreshold(double threshold) {
    ScoreParameters p = ScoreParameters.defaults();
    return new ScoreParameters(
        p.topics(),
        p.otherTopics(),
        p.topicCap(),
        p.application(),
        p.colocation(),
        new ScoreParameters.Behaviour(-10, threshold, 0.99),
        p.decayInterval(),
        p.decayToZero(),
        p.retain());
  }

  @Test
  void aPrunedPeerIsGraftedAgainOnlyAfterItsBackoffAndSomeSlack() {
    add(0, 1, false);
    router.join(TOPIC, now);
    assertThat(meshSize()).isEqualTo(1);
    prune(0, Duration.ofSeconds(30));
    assertThat(sent(heartbeats(31), Rpc::grafts)).isEmpty();
    assertThat(sent(heartbeats(2), Rpc::grafts)).hasSize(1);
    assertThat(meshSize()).isEqualTo(1);
  }

  @Test
  void aPeerThatLeftATopicMayComeBackWhenItsPruneSaid() {
    add(0, 1, false);
    router.join(TOPIC, now);
    receive(0, rpc -> rpc.subscriptions.add(new Rpc.Subscription(TOPIC, false)));
    prune(0, Duration.ofSeconds(4));
    assertThat(meshSize()).isZero();
    receive(0, rpc -> rpc.subscriptions.add(new Rpc.Subscription(TOPIC, true)));
    now += 4001;
    assertThat(sent(graft(0), Rpc::prunes)).as("refused").isEmpty();
    assertThat(meshSize()).isEqualTo(1);
    assertThat(score(0)).isNotNegative();
  }

  @Test
  void aPruneWithoutBackoffFromAnOldPeerMeansAMinute() {
    add(0, PeerFeatures.MESHSUB_1_0, false);
    router.join(TOPIC, now);
    receive(0, rpc -> rpc.prunes.add(new Rpc.Prune(TOPIC, List.of(), Optional.empty())));
    assertThat(sent(heartbeats(60), Rpc::grafts)).isEmpty();
    assertThat(sent(heartbeats(3), Rpc::grafts)).hasSize(1);
  }

  @Test
  void anOldPeerIsPrunedWithoutTheFieldsOfLaterVersions() {
    router.join(TOPIC, now);
    add(0, 12, false);
    for (int i = 0; i < 12; i++) {
      graft(i);
    }
    add(20, PeerFeatures.MESHSUB_1_0, false);
    assertThat(sent(graft(20), Rpc::prunes))
        .containsExactly(new Rpc.Prune(TOPIC, List.of(), Optional.empty()));
  }

  @Test
  void offersAreFollowedOnlyFromMeshPeersWithAScoreThatEarnsIt() {
    add(0, 2, false);
    router.join(TOPIC, now);
    Rpc.Offered offer = new Rpc.Offered(Messages.peer(50), ByteString.copyFromUtf8("r"));
    Rpc.Offered known = new Rpc.Offered(Messages.peer(1), ByteString.EMPTY);
    assertThat(prune(0, Duration.ofSeconds(60), offer)).isEmpty();
    for (int i = 0; i < 25; i++) {
      accept(1, message(i));
    }
    assertThat(score(1)).isGreaterThan(ScoreThresholds.defaults().acceptExchange());
    assertThat(prune(1, Duration.ofSeconds(60), offer, known))
        .containsExactly(new Action.Connect(offer.peer(), offer.record()));
    assertThat(prune(1, Duration.ofSeconds(60), offer)).as("no longer in the mesh").isEmpty();
  }

  @Test
  void atMostSixteenOffersAreFollowed() {
    add(0, 1, false);
    router.join(TOPIC, now);
    for (int i = 0; i < 25; i++) {
      accept(0, message(i));
    }
    Rpc.Offered[] offers = new Rpc.Offered[100];
    for (int i = 0; i < offers.length; i++) {
      offers[i] = new Rpc.Offered(Messages.peer(100 + i), ByteString.EMPTY);
    }
    assertThat(prune(0, Duration.ofSeconds(60), offers)).hasSize(16);
  }

  // Mesh maintenance

  @Test
  void theHeartbeatFillsAMeshThatIsTooSmallUpToD() {
    router.join(TOPIC, now);
    add(0, 20, false);
    assertThat(sent(heartbeats(1), Rpc::grafts)).hasSize(6);
    assertThat(meshSize()).isEqualTo(6);
  }

  @Test
  void theHeartbeatPrunesToDAndKeepsTheBestAndTheDialled() {
    router.join(TOPIC, now);
    add(0, 12, false);
    add(12, 20, true);
    for (int i = 0; i < 20; i++) {
      graft(i);
    }
    assertThat(meshSize()).isEqualTo(20);
    for (int i = 0; i < 4; i++) {
      accept(i, message(i));
    }
    List<Action> actions = heartbeats(1);
    assertThat(meshSize()).isEqualTo(6);
    assertThat(sent(actions, Rpc::prunes))
        .hasSize(14)
        .allMatch(prune -> prune.peers().size() == 16);
    assertThat(router.mesh(TOPIC))
        .contains(Messages.peer(0), Messages.peer(1), Messages.peer(2), Messages.peer(3));
    long dialled =
        router.mesh(TOPIC).stream()
            .filter(peer ->
                Stream.iterate(12, i -> i + 1)
                    .limit(8)
                    .anyMatch(i -> Messages.peer(i).equals(peer)))
            .count();
    assertThat(dialled).isEqualTo(2);
  }

  @Test
  void aMeshOfPeersThatDialledInGetsSomeThatThisHostDialled() {
    router.join(TOPIC, now);
    add(0, 8, false);
    for (int i = 0; i < 8; i++) {
      graft(i);
    }
    add(8, 12, true);
    assertThat(sent(heartbeats(1), Rpc::grafts)).hasSize(2);
    assertThat(meshSize()).isEqualTo(10);
  }

  @Test
  void aPeerWithANegativeScoreLeavesTheMeshWithoutOffersAndDoesNotComeBack() {
    add(0, 8, false);
    router.join(TOPIC, now);
    PeerId bad = router.mesh(TOPIC).getFirst();
    Message forged = message(1);
    router.receive(bad, Rpc.of(forged), now);
    router.verified(forged, false, now);
    assertThat(router.score(bad)).isNegative();
    assertThat(sent(heartbeats(1), Rpc::prunes))
        .singleElement()
        .satisfies(prune -> assertThat(prune.peers()).isEmpty());
    assertThat(router.mesh(TOPIC)).doesNotContain(bad);
  }

  @Test
  void aPoorMeshIsImprovedByBetterPeersEveryMinute() {
    add(0, 6, false);
    router.join(TOPIC, now);
    add(10, 14, false);
    assertThat(meshSize()).isEqualTo(6);
    for (int i = 10; i < 14; i++) {
      for (int n = 0; n < 5; n++) {
        accept(i, message(100L * i + n));
      }
    }
    assertThat(sent(heartbeats(59), Rpc::grafts)).isEmpty();
    assertThat(sent(heartbeats(1), Rpc::grafts)).hasSize(2);
    assertThat(meshSize()).isEqualTo(8);
  }

  // Publishing and forwarding

  @Test
  void ownMessagesGoToAllSubscribersWithoutBadScores() {
    add(0, 20, false);
    router.join(TOPIC, now);
    penalise(3, 6);
    assertThat(score(3)).isLessThan(ScoreThresholds.defaults().publish());
    Message own = Messages.message(TOPIC, SELF, 1, "own");
    List<Action> actions = router.publish(own, now);
    assertThat(receivers(actions, own)).hasSize(19).doesNotContain(Messages.peer(3));
    assertThat(deliveries(actions)).as("to this host's own subscribers").isEqualTo(1);
    assertThat(router.publish(own, now)).as("again").isEmpty();
  }

  private void penalise(int number, int times) {
    for (int i = 0; i < times; i++) {
      router.misbehaved(Messages.peer(number));
    }
  }

  private GossipConfig withoutFlood() {
    return config.with(
        new MeshParameters(
            MESH.degrees(),
            MESH.gossipFactor(),
            MESH.heartbeat(),
            MESH.fanoutTimeToLive(),
            MESH.historyLength(),
            MESH.historyGossip(),
            MESH.seenTimeToLive(),
            MESH.pruneBackoff(),
            MESH.unsubscribeBackoff(),
            MESH.graftFlood(),
            MESH.exchangePeers(),
            false,
            MESH.opportunisticHeartbeats(),
            MESH.opportunisticPeers(),
            MESH.haveIdsMax(),
            MESH.haveMessagesMax(),
            MESH.wantFollowUp(),
            MESH.retransmissionsMax(),
            MESH.unwantedBytesMin()));
  }

  @Test
  void withoutFloodPublishingTheMeshOrTheFanoutIsUsedAndJoiningTakesTheFanoutOver() {
    configure(withoutFlood());
    add(0, 20, false);
    Message first = Messages.message(TOPIC, SELF, 1, "one");
    List<PeerId> fanout = receivers(router.publish(first, now), first);
    assertThat(fanout).hasSize(6);
    Message second = Messages.message(TOPIC, SELF, 2, "two");
    assertThat(receivers(router.publish(second, now), second)).isEqualTo(fanout);
    router.join(TOPIC, now);
    assertThat(router.mesh(TOPIC)).containsExactlyInAnyOrderElementsOf(fanout);
    Message third = Messages.message(TOPIC, SELF, 3, "three");
    assertThat(receivers(router.publish(third, now), third))
        .containsExactlyInAnyOrderElementsOf(fanout);
  }

  @Test
  void aFanoutEndsAMinuteAfterTheLastMessageAndIsToppedUpBefore() {
    configure(withoutFlood());
    add(0, 6, false);
    Message first = Messages.message(TOPIC, SELF, 1, "one");
    List<PeerId> fanout = receivers(router.publish(first, now), first);
    assertThat(fanout).hasSize(6);
    add(6, 40, false);
    router.removePeer(fanout.getFirst(), now);
    heartbeats(30);
    Message second = Messages.message(TOPIC, SELF, 2, "two");
    List<PeerId> toppedUp = receivers(router.publish(second, now), second);
    assertThat(toppedUp).hasSize(6).containsAll(fanout.subList(1, 6));
    heartbeats(62);
    Message third = Messages.message(TOPIC, SELF, 3, "three");
    assertThat(receivers(router.publish(third, now), third)).hasSize(6).isNotEqualTo(toppedUp);
  }

  @Test
  void anAcceptedMessageIsForwardedToTheMeshButNotToWhoHasIt() {
    add(0, 6, false);
    router.join(TOPIC, now);
    router.addPeer(AUTHOR, PeerFeatures.of(PeerFeatures.MESHSUB_1_2), false, Optional.empty());
    router.receive(AUTHOR, graftAndSubscribe(), now);
    assertThat(meshSize()).isEqualTo(7);
    Message message = message(1);
    assertThat(receive(0, rpc -> rpc.messages.add(message)))
        .containsExactly(new Action.Verify(message, Messages.peer(0)));
    assertThat(receive(1, rpc -> rpc.messages.add(message))).as("a copy").isEmpty();
    assertThat(router.verified(message, true, now))
        .containsExactly(new Action.Judge(message, Messages.peer(0)));
    assertThat(receive(2, rpc -> rpc.messages.add(message))).as("another copy").isEmpty();
    List<Action> accepted = router.judged(message.id(), Topic.Verdict.ACCEPT, now);
    assertThat(receivers(accepted, message))
        .containsExactlyInAnyOrder(Messages.peer(3), Messages.peer(4), Messages.peer(5));
    assertThat(deliveries(accepted)).isEqualTo(1);
    assertThat(accept(3, message)).as("a late copy").isEmpty();
  }

  private static Rpc graftAndSubscribe() {
    Rpc.Builder rpc = Rpc.builder();
    rpc.subscriptions.add(new Rpc.Subscription(TOPIC, true));
    rpc.grafts.add(TOPIC);
    return rpc.build();
  }

  @Test
  void rejectedCostsAllWhoBroughtItAndIgnoredCostsNobody() {
    add(0, 3, false);
    router.join(TOPIC, now);
    Message bad = message(1);
    receive(0, rpc -> rpc.messages.add(bad));
    router.verified(bad, true, now);
    receive(1, rpc -> rpc.messages.add(bad));
    assertThat(router.judged(bad.id(), Topic.Verdict.REJECT, now)).isEmpty();
    receive(2, rpc -> rpc.messages.add(bad));
    for (int i = 0; i < 3; i++) {
      assertThat(score(i)).isEqualTo(-1.5);
    }
    Message odd = message(2);
    receive(0, rpc -> rpc.messages.add(odd));
    router.verified(odd, true, now);
    assertThat(router.judged(odd.id(), Topic.Verdict.IGNORE, now)).isEmpty();
    assertThat(score(0)).isEqualTo(-1.5);
    assertThat(router.judged(odd.id(), Topic.Verdict.ACCEPT, now)).as("judged twice").isEmpty();
  }

  @Test
  void aForgeryWithTheIdOfATrueMessageDoesNotKeepThatOut() {
    add(0, 2, false);
    router.join(TOPIC, now);
    Message forged = Messages.message(TOPIC, AUTHOR, 1, "forged");
    Message genuine = message(1);
    assertThat(forged.id()).isEqualTo(genuine.id());
    receive(0, rpc -> rpc.messages.add(forged));
    assertThat(receive(1, rpc -> rpc.messages.add(genuine))).hasSize(1);
    router.verified(forged, false, now);
    assertThat(score(0)).isNegative();
    router.verified(genuine, true, now);
    assertThat(deliveries(router.judged(genuine.id(), Topic.Verdict.ACCEPT, now))).isEqualTo(1);
    assertThat(score(1)).isPositive();
  }

  @Test
  void faultyMessagesCountOnlyInJoinedTopicsAndForeignOnesAreNotLookedAt() {
    add(0, 2, false);
    router.join(TOPIC, now);
    receive(0, rpc -> rpc.faults.add(new Rpc.Fault("/other/1", "no signature")));
    assertThat(score(0)).isZero();
    receive(0, rpc -> rpc.faults.add(new Rpc.Fault(TOPIC, "no signature")));
    assertThat(score(0)).isEqualTo(-1.5);
    assertThat(receive(1, rpc -> rpc.messages.add(Messages.message("/other/1", AUTHOR, 1, "data"))))
        .isEmpty();
    assertThat(receive(1, rpc -> rpc.messages.add(Messages.message(TOPIC, SELF, 1, "an echo"))))
        .isEmpty();
    assertThat(score(1)).isZero();
  }

  @Test
  void aGraylistedPeerIsNotListenedTo() {
    add(0, 1, false);
    router.join(TOPIC, now);
    penalise(0, 6);
    assertThat(score(0)).isLessThan(ScoreThresholds.defaults().graylist());
    assertThat(receive(0, rpc -> rpc.messages.add(message(1)))).isEmpty();
    assertThat(graft(0)).isEmpty();
    receive(0, rpc -> rpc.subscriptions.add(new Rpc.Subscription(TOPIC, false)));
    assertThat(router.peers(TOPIC)).as("but what it subscribes to stays right").isEmpty();
  }

  @Test
  void signaturesOfAGraylistedPeerAreNotCheckedUnlessAnotherBroughtTheSame() {
    add(0, 2, false);
    router.join(TOPIC, now);
    receive(
        0,
        rpc -> {
          rpc.messages.add(message(1));
          rpc.messages.add(message(2));
        });
    receive(1, rpc -> rpc.messages.add(message(2)));
    assertThat(router.mustVerify(message(1))).isTrue();
    penalise(0, 6);
    assertThat(router.mustVerify(message(1))).isFalse();
    assertThat(router.mustVerify(message(2))).isTrue();
    assertThat(receive(1, rpc -> rpc.messages.add(message(1))))
        .as("it was not seen: another may bring it")
        .containsExactly(new Action.Verify(message(1), Messages.peer(1)));
  }

  @Test
  void aMessageIsDeliveredOnceWhileItsIdIsRemembered() {
    add(0, 1, false);
    router.join(TOPIC, now);
    assertThat(deliveries(accept(0, message(1)))).isEqualTo(1);
    now += 118_000;
    heartbeats(1);
    assertThat(accept(0, message(1))).isEmpty();
    heartbeats(1);
    assertThat(router.seenCount()).isZero();
  }

  @Test
  void floodsubPeersGetEveryMessageAndNoControl() {
    add(0, PeerFeatures.FLOODSUB, false);
    add(1, 3, false);
    assertThat(sent(router.join(TOPIC, now), Rpc::grafts)).hasSize(2);
    assertThat(graft(0)).isEmpty();
    assertThat(router.mesh(TOPIC)).doesNotContain(Messages.peer(0));
    Message message = message(1);
    assertThat(receivers(accept(1, message), message))
        .containsExactlyInAnyOrder(Messages.peer(0), Messages.peer(2));
    assertThat(sends(heartbeats(3)).map(Action.Send::peer)).doesNotContain(Messages.peer(0));
  }

  // Direct peers

  @Test
  void directPeersStayOutsideTheMeshGetEverythingAndAreReconnected() {
    PeerId friend = Messages.peer(0);
    configure(config.withDirect(List.of(new PeerAddress(friend, List.of()))));
    assertThat(heartbeats(1)).containsExactly(new Action.Connect(friend, ByteString.EMPTY));
    assertThat(heartbeats(299)).isEmpty();
    assertThat(heartbeats(1)).hasSize(1);
    add(0, 3, false);
    assertThat(sent(router.join(TOPIC, now), Rpc::grafts)).hasSize(2);
    assertThat(sent(graft(0), Rpc::prunes)).hasSize(1);
    penalise(0, 100);
    Message message = message(1);
    assertThat(receivers(accept(1, message), message)).contains(friend);
    assertThat(deliveries(accept(0, message(2)))).as("whatever its score").isEqualTo(1);
    Message own = Messages.message(TOPIC, SELF, 1, "own");
    assertThat(receivers(router.publish(own, now), own)).contains(friend);
  }

  // IHAVE, IWANT, IDONTWANT

  @Test
  void peersOutsideTheMeshAreToldForThreeHeartbeats() {
    add(0, 40, false);
    router.join(TOPIC, now);
    List<PeerId> mesh = router.mesh(TOPIC);
    Message message = message(1);
    router.receive(mesh.getFirst(), Rpc.of(message), now);
    router.verified(message, true, now);
    router.judged(message.id(), Topic.Verdict.ACCEPT, now);
    for (int i = 0; i < 3; i++) {
      List<Action> actions = heartbeats(1);
      // A quarter of 34.
      assertThat(sent(actions, Rpc::haves))
          .hasSize(8)
          .containsOnly(new Rpc.Have(TOPIC, List.of(message.id())));
      assertThat(sends(actions).map(Action.Send::peer)).doesNotContainAnyElementsOf(mesh);
      assertThat(sends(actions).map(Action.Send::priority)).containsOnly(Priority.GOSSIP);
    }
    assertThat(heartbeats(1)).isEmpty();
  }

  @Test
  void whatAPeerAsksForIsSentThreeTimesAtMostWhileItIsCached() {
    add(0, 1, false);
    router.join(TOPIC, now);
    Message message = message(1);
    accept(0, message);
    for (int i = 0; i < 3; i++) {
      assertThat(receivers(want(0, message), message)).hasSize(1);
    }
    assertThat(want(0, message)).isEmpty();
    add(1, 2, false);
    assertThat(want(1, message)).hasSize(1);
    heartbeats(5);
    assertThat(want(1, message)).as("no longer cached").isEmpty();
  }

  private List<Action> want(int number, Message message) {
    return receive(number, rpc -> rpc.wanted.add(message.id()));
  }

  private List<Action> have(int number, MessageId... ids) {
    return receive(number, rpc -> rpc.haves.add(new Rpc.Have(TOPIC, List.of(ids))));
  }

  private static MessageId[] ids(int from, int count) {
    return Stream.iterate(from, i -> i + 1)
        .limit(count)
        .map(i -> message(i).id())
        .toArray(MessageId[]::new);
  }

  @Test
  void onlyWhatIsNewIsAskedFor() {
    add(0, 1, false);
    assertThat(have(0, ids(1, 3))).as("in a topic that is not joined").isEmpty();
    router.join(TOPIC, now);
    accept(0, message(2));
    assertThat(sent(have(0, ids(1, 3)), Rpc::wanted))
        .containsExactlyInAnyOrder(message(1).id(), message(3).id());
  }

  @Test
  void aPeersHavesAreReadTenTimesAndUpToFiveThousandIdsAHeartbeat() {
    add(0, 2, false);
    router.join(TOPIC, now);
    for (int i = 0; i < 10; i++) {
      assertThat(have(0, ids(i, 1))).hasSize(1);
    }
    assertThat(have(0, ids(99, 1))).isEmpty();
    heartbeats(1);
    assertThat(have(0, ids(99, 1))).hasSize(1);
    assertThat(sent(have(1, ids(0, 4000)), Rpc::wanted)).hasSize(4000);
    assertThat(sent(have(1, ids(4000, 4000)), Rpc::wanted)).hasSize(1000);
    assertThat(have(1, ids(9000, 10))).isEmpty();
  }

  @Test
  void whoDoesNotSendWhatItToldOfIsPenalised() {
    configure(config.with(withBehaviourThreshold(0)));
    add(0, 2, false);
    router.join(TOPIC, now);
    have(0, ids(1, 1));
    heartbeats(2);
    assertThat(score(0)).isNotNegative();
    heartbeats(1);
    assertThat(score(0)).isNegative();
    assertThat(score(1)).isNotNegative();
  }

  @Test
  void nobodyIsPenalisedForAMessageThatCameFromAnother() {
    configure(config.with(withBehaviourThreshold(0)));
    add(0, 2, false);
    router.join(TOPIC, now);
    have(0, ids(1, 1));
    accept(1, message(1));
    have(0, ids(2, 1));
    router.overloaded(Messages.peer(0));
    heartbeats(5);
    assertThat(score(0)).isNotNegative();
  }

  @Test
  void gossipOfAndToAPeerWithABadScoreIsIgnored() {
    add(0, 8, false);
    router.join(TOPIC, now);
    List<PeerId> outside = new ArrayList<>(router.peers(TOPIC));
    outside.removeAll(router.mesh(TOPIC));
    assertThat(outside).hasSize(2);
    PeerId bad = outside.getFirst();
    for (int i = 0; i < 5; i++) {
      router.misbehaved(bad);
    }
    Rpc.Builder have = Rpc.builder();
    have.haves.add(new Rpc.Have(TOPIC, List.of(ids(1, 1))));
    assertThat(router.receive(bad, have.build(), now)).isEmpty();
    Message own = Messages.message(TOPIC, SELF, 1, "own");
    router.publish(own, now);
    Rpc.Builder want = Rpc.builder();
    want.wanted.add(own.id());
    assertThat(router.receive(bad, want.build(), now)).isEmpty();
    assertThat(sends(heartbeats(1)).filter(send -> !send.rpc().haves().isEmpty()))
        .extracting(Action.Send::peer)
        .containsExactly(outside.getLast());
  }

  @Test
  void aLargeMessageIsAnnouncedToTheMeshOnceItsSignatureIsRight() {
    add(0, 4, false);
    add(4, PeerFeatures.MESHSUB_1_1, false);
    router.join(TOPIC, now);
    assertThat(meshSize()).isEqualTo(5);
    Message message = large(1);
    List<Action> received = receive(0, rpc -> rpc.messages.add(message));
    assertThat(sent(received, Rpc::unwanted)).as("it may be forged").isEmpty();
    List<Action> verified = router.verified(message, true, now);
    assertThat(
            sends(verified)
                .filter(send -> send.rpc().unwanted().contains(message.id()))
                .map(Action.Send::peer))
        .containsExactlyInAnyOrder(Messages.peer(1), Messages.peer(2), Messages.peer(3));
    Message small = message(2);
    receive(0, rpc -> rpc.messages.add(small));
    assertThat(sent(router.verified(small, true, now), Rpc::unwanted)).isEmpty();
  }

  @Test
  void whatAPeerDoesNotWantIsNotSentToIt() {
    add(0, 3, false);
    router.join(TOPIC, now);
    Message message = large(1);
    receive(1, rpc -> rpc.unwanted.add(message.id()));
    assertThat(receivers(accept(0, message), message)).containsExactly(Messages.peer(2));
    assertThat(want(1, message)).isEmpty();
    heartbeats(4);
    assertThat(want(1, message)).as("forgotten after some heartbeats").hasSize(1);
  }

  @Test
  void unwantedIdsOfOnePeerAreBounded() {
    add(0, 2, false);
    router.join(TOPIC, now);
    receive(1, rpc -> rpc.unwanted.addAll(List.of(ids(1000, 2000))));
    Message known = message(1000);
    Message beyond = message(2999);
    assertThat(receivers(accept(0, known), known)).isEmpty();
    assertThat(receivers(accept(0, beyond), beyond)).containsExactly(Messages.peer(1));
  }

  @Test
  void aPeerThatComesBackKeepsItsBadScoreButNotItsGoodOne() {
    add(0, 2, false);
    router.join(TOPIC, now);
    accept(0, message(1));
    penalise(1, 5);
    double bad = score(1);
    router.removePeer(Messages.peer(0), now);
    router.removePeer(Messages.peer(1), now);
    assertThat(router.mesh(TOPIC)).isEmpty();
    heartbeats(10);
    add(0, 2, false);
    assertThat(score(0)).isZero();
    assertThat(score(1)).isEqualTo(bad).isNegative();
  }

  @Test
  void anUnknownPeersRpcIsIgnored() {
    router.join(TOPIC, now);
    assertThat(graft(77)).isEmpty();
    assertThat(receive(77, rpc -> rpc.messages.add(message(1)))).isEmpty();
  }
}
