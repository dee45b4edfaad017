package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.Elementary;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class ElementaryHeaderTest {
  @Test
  void theDevicesCoefficientsAreThoseOfElementary() throws Exception {
    Map<String, Float> device = new TreeMap<>();
    for (String line : Files.readAllLines(Path.of("src/main/cuda/elementary.cuh"))) {
      String[] words = line.split(" ");
      if (words[0].equals("#define")) {
        device.put(words[1], Float.parseFloat(words[2]));
      }
    }
    Map<String, Float> host = new TreeMap<>();
    for (Field field : Elementary.class.getFields()) {
      if (Modifier.isStatic(field.getModifiers()) && field.getType() == float.class) {
        host.put(field.getName(), field.getFloat(null));
      }
    }
    assertThat(device).isNotEmpty().isEqualTo(host);
  }
}
