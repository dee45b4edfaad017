/// Text generation, token by token, and its replay in one prefill pass for whoever checks it.
@NullMarked
package io.rigmesh.worker.generate;

import org.jspecify.annotations.NullMarked;
