/// Who a peer is: key pairs, peer ids, signed envelopes and signed peer records.
@NullMarked
package io.rigmesh.libp2p.identity;

import org.jspecify.annotations.NullMarked;
