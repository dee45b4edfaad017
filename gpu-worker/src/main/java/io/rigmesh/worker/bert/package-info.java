/// The BERT encoder on the kernels of a profile, and the import of BERT models from ONNX exports.
@NullMarked
package io.rigmesh.worker.bert;

import org.jspecify.annotations.NullMarked;
