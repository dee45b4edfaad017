package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.worker.device.Device;
import io.rigmesh.worker.device.Devices;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Lists this machine's devices; asks no daemon.
@Command(
    name = "devices",
    description = {
      "List the devices of this machine, and whether this version computes on them. It asks no"
          + " daemon; 'rigmesh workers' says how a running node's do."
    })
final class DevicesCommand implements Callable<Integer> {
  private static final double GIBIBYTE = 1 << 30;

  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    List<Device> devices = Devices.list();
    if (output.json()) {
      ArrayNode list = JsonNodeFactory.instance.arrayNode();
      devices.forEach(device -> list.add(json(device)));
      console.print(list);
      return ExitCode.OK;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("DEVICE", "NAME", "MEMORY", "DETAILS"));
    devices.forEach(device ->
        rows.add(
            List.of(
                device.id(),
                device.name(),
                String.format(Locale.ROOT, "%.1f GiB", device.memoryTotalBytes() / GIBIBYTE),
                details(device))));
    console.table(rows);
    return ExitCode.OK;
  }

  private static String details(Device device) {
    return switch (device) {
      case Device.Cpu cpu -> cpu.processors() + " threads";
      case Device.Cuda cuda ->
          "compute "
              + cuda.computeCapability()
              + ", "
              + cuda.multiprocessors()
              + " multiprocessors, CUDA "
              + cuda.driverVersion()
              + cuda.unusable().map(why -> "; not usable: " + why).orElse("");
    };
  }

  private static ObjectNode json(Device device) {
    ObjectNode node =
        JsonNodeFactory.instance
            .objectNode()
            .put("id", device.id())
            .put("name", device.name())
            .put("memoryBytes", Long.toString(device.memoryTotalBytes()));
    switch (device) {
      case Device.Cpu cpu -> node.put("threads", cpu.processors()).put("usable", true);
      case Device.Cuda cuda -> {
        node.put("computeCapability", cuda.computeCapability())
            .put("multiprocessors", cuda.multiprocessors())
            .put("driverVersion", cuda.driverVersion())
            .put("usable", cuda.unusable().isEmpty());
        cuda.unusable().ifPresent(why -> node.put("reason", why));
      }
    }
    return node;
  }
}
