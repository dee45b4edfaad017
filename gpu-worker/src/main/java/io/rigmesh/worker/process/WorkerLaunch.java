package io.rigmesh.worker.process;

import io.rigmesh.worker.kernels.nativecode.NativeCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// How to start a worker process.
///
/// @param java the `java` to run it with, of version 25 or later
/// @param classPath where the worker's classes are
/// @param socket where it shall listen; its folder is made 0700
/// @param device such as `cpu`
/// @param threads how many compute
/// @param heapBytesMax the most its Java heap may grow to: what jobs can use on a CPU
/// @param home a folder for the native libraries that it unpacks
/// @param nativeCode whether it may use the machine code for linear layers, see [NativeCode]
public record WorkerLaunch(
    Path java,
    String classPath,
    Path socket,
    String device,
    int threads,
    long heapBytesMax,
    Path home,
    boolean nativeCode) {

  /// What a worker may know of its parent's environment: where a CUDA driver is, and nothing that
  /// could hold a secret.
  private static final Set<String> ENVIRONMENT = Set.of("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES");

  /// A worker of the same Java and the same classes as this process.
  public static WorkerLaunch likeThisProcess(
      Path socket, String device, int threads, long heapBytesMax, Path home) {
    return new WorkerLaunch(
        Path.of(System.getProperty("java.home"), "bin", "java"),
        System.getProperty("java.class.path"),
        socket,
        device,
        threads,
        heapBytesMax,
        home,
        true);
  }

  /// The same, with or without the machine code for linear layers.
  public WorkerLaunch withNativeCode(boolean allowed) {
    return new WorkerLaunch(java, classPath, socket, device, threads, heapBytesMax, home, allowed);
  }

  /// The whole command line.
  public List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(java.toString());
    command.add("-Xmx" + heapBytesMax);
    // One heap that only one job's thread fills in earnest; other collectors cost memory and
    // threads.
    command.add("-XX:+UseSerialGC");
    command.add("--add-modules=jdk.incubator.vector");
    command.add("--enable-native-access=ALL-UNNAMED");
    // Netty and protobuf ask for it; without it each start prints four lines of warnings.
    command.add("--sun-misc-unsafe-memory-access=allow");
    command.add("-Djava.io.tmpdir=" + home.toAbsolutePath().resolve("tmp"));
    command.add("-D" + NativeCode.PROPERTY + "=" + (nativeCode ? "on" : "off"));
    command.add("-cp");
    command.add(classPath);
    command.add(WorkerMain.class.getName());
    command.addAll(List.of("--socket", socket.toAbsolutePath().toString()));
    command.addAll(List.of("--device", device));
    command.addAll(List.of("--threads", Integer.toString(threads)));
    command.addAll(List.of("--home", home.toAbsolutePath().toString()));
    return List.copyOf(command);
  }

  /// The command with an environment emptied of everything but where a CUDA driver is.
  ProcessBuilder processBuilder() {
    ProcessBuilder builder = new ProcessBuilder(command());
    Map<String, String> environment = builder.environment();
    environment.keySet().retainAll(ENVIRONMENT);
    environment.put("LC_ALL", "C.UTF-8");
    return builder.directory(home.toFile());
  }
}
