/// Tests of the device self-test, honest and not.
@NullMarked
package io.rigmesh.worker.selftest;

import org.jspecify.annotations.NullMarked;
