/// identify and identify-push: peers tell each other their keys, addresses and protocols.
@NullMarked
package io.rigmesh.libp2p.identify;

import org.jspecify.annotations.NullMarked;
