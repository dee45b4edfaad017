/// The market's vocabulary: jobs, offers, receipts and vouchers, their canonical bytes, hashes and
/// signatures. No I/O, no threads.
@NullMarked
package io.rigmesh.protocol;

import org.jspecify.annotations.NullMarked;
