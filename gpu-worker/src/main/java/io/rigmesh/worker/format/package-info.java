/// Model files: safetensors and Hugging Face folders, read and written; ONNX exports, read; all
/// bounded and refused precisely when malformed.
@NullMarked
package io.rigmesh.worker.format;

import org.jspecify.annotations.NullMarked;
