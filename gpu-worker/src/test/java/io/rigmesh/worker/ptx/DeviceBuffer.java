package io.rigmesh.worker.ptx;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// A piece of simulated device memory, with what a sanitizer knows about it.
public final class DeviceBuffer {
  private final String name;
  private final long address;
  private final byte[] bytes;
  private final byte[] initialised;
  private final boolean readOnly;
  private final Map<Integer, Shadow> shadows = new HashMap<>();
  private boolean complete;

  DeviceBuffer(String name, long address, int size, boolean readOnly) {
    this.name = name;
    this.address = address;
    this.bytes = new byte[size];
    this.initialised = new byte[size];
    this.readOnly = readOnly;
  }

  /// The address that a kernel is given.
  public long address() {
    return address;
  }

  /// The name that errors give it.
  public String name() {
    return name;
  }

  /// The size in bytes.
  public int size() {
    return bytes.length;
  }

  /// Copies `source` to byte `at`, as the host does.
  public void write(int at, byte[] source) {
    System.arraycopy(source, 0, bytes, at, source.length);
    Arrays.fill(initialised, at, at + source.length, (byte) 1);
    complete = complete || (at == 0 && source.length == bytes.length);
  }

  /// Copies `count` bytes from byte `at`, as the host does; reading what nobody wrote is an error.
  public byte[] read(int at, int count) {
    for (int i = at; !complete && i < at + count; i++) {
      if (initialised[i] == 0) {
        throw new PtxException("The host reads byte " + i + " of " + name + ", never written.");
      }
    }
    return Arrays.copyOfRange(bytes, at, at + count);
  }

  /// Makes every byte look as if it had never been written.
  public void forget() {
    Arrays.fill(initialised, (byte) 0);
    Arrays.fill(bytes, (byte) 0x7f);
    complete = false;
  }

  /// Fills this with NaN, as if earlier work had left it: what a kernel may load but must not use.
  public void poison() {
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i % 4 < 2 ? 0xff : i % 4 == 2 ? 0xc0 : 0x7f);
    }
    Arrays.fill(initialised, (byte) 1);
    complete = true;
  }

  byte[] data() {
    return bytes;
  }

  boolean readOnly() {
    return readOnly;
  }

  boolean contains(long where) {
    return where >= address && where < address + bytes.length;
  }

  boolean initialised(int at, int count) {
    if (complete) {
      return true;
    }
    for (int i = at; i < at + count; i++) {
      if (initialised[i] == 0) {
        return false;
      }
    }
    return true;
  }

  void initialise(int at, int count) {
    if (!complete) {
      Arrays.fill(initialised, at, at + count, (byte) 1);
    }
  }

  /// The shadow of this buffer for one launch, in pieces of `unitBytes`.
  Shadow shadow(long launch, int unitBytes) {
    Shadow shadow =
        shadows.computeIfAbsent(unitBytes, unit -> new Shadow(bytes.length, unit, false));
    shadow.begin(launch);
    return shadow;
  }
}
