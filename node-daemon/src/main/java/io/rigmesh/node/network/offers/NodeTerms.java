package io.rigmesh.node.network.offers;

import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.node.DeviceView;
import io.rigmesh.node.config.ProviderConfig;
import io.rigmesh.node.models.OfferedModels;
import io.rigmesh.node.network.NetworkService;
import io.rigmesh.node.provider.Dispatcher;
import io.rigmesh.node.provider.MeasuredDevices;
import io.rigmesh.node.workers.Workers;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Profile;
import io.rigmesh.scheduler.pricing.Pricing;
import io.rigmesh.worker.process.WorkerDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What this node offers: the devices whose workers serve, the models that were put here, and the
/// prices of its settings.
public final class NodeTerms implements Announcer.Terms {
  private static final int ADDRESSES_MAX = 16;
  private static final int NAME_MAX = 120;

  private final ProviderConfig config;
  private final Address account;
  private final NetworkService network;
  private final Workers workers;
  private final Dispatcher dispatcher;
  private final Pricing pricing;
  private final OfferedModels models;
  private final MeasuredDevices measured;

  /// The terms of a node.
  public NodeTerms(
      ProviderConfig config,
      Address account,
      NetworkService network,
      Workers workers,
      Dispatcher dispatcher,
      Pricing pricing,
      OfferedModels models,
      MeasuredDevices measured) {
    this.config = config;
    this.account = account;
    this.network = network;
    this.workers = workers;
    this.dispatcher = dispatcher;
    this.pricing = pricing;
    this.models = models;
    this.measured = measured;
  }

  @Override
  public Optional<Offer> now() {
    List<Offer.Device> devices = devices();
    if (devices.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Offer(
            network.self().toString(),
            addresses(),
            account,
            devices,
            entries(),
            pricing.minimum(),
            config.region(),
            0,
            0));
  }

  private List<String> addresses() {
    return network.host().addresses().stream()
        .map(Multiaddr::withoutPeerId)
        .map(Multiaddr::toString)
        .distinct()
        .sorted()
        .limit(ADDRESSES_MAX)
        .toList();
  }

  private List<Offer.Device> devices() {
    List<Offer.Device> devices = new ArrayList<>();
    for (Workers.Status status : workers.statuses()) {
      if (status.state() != DeviceView.State.READY || status.description().isEmpty()) {
        continue;
      }
      WorkerDescription description = status.description().get();
      String name = description.deviceName();
      for (Profile profile : description.profiles()) {
        MeasuredDevices.Speed speed =
            measured.offered(
                status.device(), profile, dispatcher.megaflopsPerSecond(status.device()));
        devices.add(
            new Offer.Device(
                name.substring(0, Math.min(NAME_MAX, name.length())),
                description.memoryTotalBytes(),
                profile,
                speed.megaflopsPerSecond(),
                speed.megabytesPerSecond()));
      }
    }
    return devices.subList(0, Math.min(devices.size(), Offer.LIST_MAX));
  }

  private List<Offer.Model> entries() {
    List<Offer.Model> entries = new ArrayList<>();
    for (JobKind kind : JobKind.values()) {
      entry(Hash.ZERO, "", kind).ifPresent(entries::add);
    }
    for (OfferedModels.OfferedModel model : models.list()) {
      for (JobKind kind : model.kinds()) {
        entry(model.root(), model.name(), kind).ifPresent(entries::add);
      }
    }
    return entries.subList(0, Math.min(entries.size(), Offer.LIST_MAX));
  }

  private Optional<Offer.Model> entry(Hash root, String name, JobKind kind) {
    return Optional.ofNullable(pricing.rates().get(kind))
        .map(rate -> new Offer.Model(root, name, kind, rate.perMillionIn(), rate.perMillionOut()));
  }
}
