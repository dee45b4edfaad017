package io.rigmesh.worker.device;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Asks NVIDIA's driver for its devices, through JCuda. Source: the CUDA driver API, sections
/// Initialization, Version Management and Device Management.
final class CudaDriver {
  private static final Logger LOG = LoggerFactory.getLogger(CudaDriver.class);
  private static final String TEMPORARY = "java.io.tmpdir";
  private static final int NAME_BYTES_MAX = 256;

  private CudaDriver() {}

  /// The devices of the driver; none where it is not installed or does not answer, which is no
  /// error on a machine that has no such device.
  static List<Device.Cuda> devices() {
    try {
      return failed("cuInit", initialized()) ? List.of() : ask();
    } catch (LinkageError e) {
      // Without libcuda.so.1 JCuda's own library cannot be linked: no driver, so no devices.
      LOG.trace("no CUDA driver: {}", e.toString());
      return List.of();
    } catch (IOException e) {
      LOG.warn("CUDA devices are not listed, since no temporary folder can be made", e);
      return List.of();
    }
  }

  /// Initialises the driver. JCuda unpacks its library into `java.io.tmpdir` under a name that
  /// anyone can guess, and loads what it finds there; so for that moment the folder is a fresh one
  /// that only this user can write.
  private static synchronized int initialized() throws IOException {
    Path folder = Files.createTempDirectory("rigmesh-jcuda-");
    String before = System.setProperty(TEMPORARY, folder.toString());
    try {
      return JCudaDriver.cuInit(0);
    } finally {
      System.setProperty(TEMPORARY, before);
      // A loaded library stays mapped without its file.
      try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
        for (Path file : files) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static List<Device.Cuda> ask() {
    int[] version = {0};
    int[] count = {0};
    if (failed("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(version))
        || failed("cuDeviceGetCount", JCudaDriver.cuDeviceGetCount(count))) {
      return List.of();
    }
    List<Device.Cuda> devices = new ArrayList<>();
    for (int ordinal = 0; ordinal < count[0]; ordinal++) {
      CUdevice device = new CUdevice();
      byte[] name = new byte[NAME_BYTES_MAX];
      long[] memoryBytes = {0};
      if (failed("cuDeviceGet", JCudaDriver.cuDeviceGet(device, ordinal))
          || failed("cuDeviceGetName", JCudaDriver.cuDeviceGetName(name, name.length, device))
          || failed("cuDeviceTotalMem", JCudaDriver.cuDeviceTotalMem(memoryBytes, device))) {
        continue;
      }
      devices.add(
          Device.Cuda.of(
              ordinal,
              terminated(name),
              memoryBytes[0],
              attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
              attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
              attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
              version[0]));
    }
    return List.copyOf(devices);
  }

  private static int attribute(CUdevice device, int attribute) {
    int[] value = {0};
    failed("cuDeviceGetAttribute", JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  private static boolean failed(String call, int result) {
    if (result == CUresult.CUDA_SUCCESS) {
      return false;
    }
    LOG.info("the CUDA driver answers {} to {}", CUresult.stringFor(result), call);
    return true;
  }

  private static String terminated(byte[] bytes) {
    int end = 0;
    while (end < bytes.length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }
}
