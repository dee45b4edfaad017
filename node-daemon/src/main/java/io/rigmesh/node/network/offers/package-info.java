/// Offers in the network: the topic `/rigmesh/offers/1` and the protocol `/rigmesh/offers/1.0.0`.
@NullMarked
package io.rigmesh.node.network.offers;

import org.jspecify.annotations.NullMarked;
