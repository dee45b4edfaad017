// A js-libp2p peer driven by JSON lines: the oracle that RigMesh's libp2p is tested against and measured beside.
//
//   node peer.mjs '{"listen":["/ip4/127.0.0.1/tcp/0"],"security":["noise"],"services":["identify","ping"]}'
//
// Every line on stdin is a command {"id":1,"do":"dial","address":"/ip4/..."}; every line on stdout is an answer
// {"id":1,"ok":{...}} or {"id":1,"error":"..."}, or an event {"event":"connected",...}. Bytes travel as hex. Logs go to
// stderr (set DEBUG=libp2p:*). The peer ends when stdin does.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { noise } from '@chainsafe/libp2p-noise'
import { quic } from '@chainsafe/libp2p-quic'
import { yamux } from '@chainsafe/libp2p-yamux'
import { autoNATv2 } from '@libp2p/autonat-v2'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { dcutr } from '@libp2p/dcutr'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import * as digests from 'multiformats/hashes/digest'

const CHUNK_BYTES = 64 * 1024
// For whatever must come: a machine that is busy with other things may stand still for longer than js-libp2p's own limits.
const PATIENCE_MILLIS = 60_000
const RAW_CODEC = 0x55

const options = {
  listen: [],
  transports: ['tcp'],
  security: ['noise'],
  services: ['identify', 'ping'],
  announce: [],
  keyType: 'Ed25519',
  kadProtocol: '/rigmesh/kad/1.0.0',
  kadClient: false,
  gossip: {},
  dcutr: {},
  mdns: null,
  relay: {},
  ...JSON.parse(process.argv[2] ?? '{}')
}

function emit (line) {
  process.stdout.write(JSON.stringify(line, (_, value) => typeof value === 'bigint' ? Number(value) : value) + '\n')
}

const hex = bytes => Buffer.from(bytes instanceof Uint8Array ? bytes : bytes.subarray()).toString('hex')
const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))

const transports = {
  tcp: () => tcp(),
  quic: () => quic(),
  relay: () => circuitRelayTransport({ reservationCompletionTimeout: PATIENCE_MILLIS })
}

const securities = { noise: () => noise(), tls: () => tls() }

const services = {
  identify: () => identify({ timeout: PATIENCE_MILLIS }),
  identifyPush: () => identifyPush({ debounce: 50, timeout: PATIENCE_MILLIS }),
  ping: () => ping({ timeout: PATIENCE_MILLIS }),
  gossip: () => gossipsub({ allowPublishToZeroTopicPeers: true, emitSelf: false, ...options.gossip }),
  kad: () => kadDHT({
    protocol: options.kadProtocol,
    clientMode: options.kadClient,
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
    networkDialTimeout: { minTimeout: PATIENCE_MILLIS },
    pingNewContactTimeout: { minTimeout: PATIENCE_MILLIS },
    pingOldContactTimeout: { minTimeout: PATIENCE_MILLIS },
    onPeerConnectTimeout: PATIENCE_MILLIS,
    incomingMessageTimeout: PATIENCE_MILLIS
  }),
  relay: () => circuitRelayServer({ reservations: options.relay }),
  dcutr: () => dcutr(options.dcutr),
  autonat: () => autoNATv2({ startupDelay: 1, refreshInterval: 1000 })
}

const privateKey = await generateKeyPair(options.keyType)
const node = await createLibp2p({
  privateKey,
  addresses: { listen: options.listen, appendAnnounce: options.announce },
  transports: options.transports.map(name => transports[name]()),
  connectionEncrypters: options.security.map(name => securities[name]()),
  streamMuxers: [yamux()],
  // Loopback is refused by default.
  connectionGater: { denyDialMultiaddr: () => false },
  connectionManager: {
    maxConnections: 4096,
    inboundConnectionThreshold: 10_000,
    maxIncomingPendingConnections: 1024,
    dialTimeout: PATIENCE_MILLIS,
    addressDialTimeout: PATIENCE_MILLIS,
    inboundUpgradeTimeout: PATIENCE_MILLIS,
    inboundStreamProtocolNegotiationTimeout: PATIENCE_MILLIS,
    outboundStreamProtocolNegotiationTimeout: PATIENCE_MILLIS
  },
  connectionMonitor: { enabled: false },
  peerDiscovery: options.mdns == null ? [] : [mdns(options.mdns)],
  services: Object.fromEntries(options.services.map(name => [name, services[name]()]))
})

function describe (connection) {
  return {
    connection: connection.id,
    peer: connection.remotePeer.toString(),
    remote: connection.remoteAddr.toString(),
    direction: connection.direction,
    security: connection.encryption ?? null,
    muxer: connection.multiplexer ?? null,
    limited: connection.limits != null,
    streams: connection.streams.map(stream => stream.protocol)
  }
}

node.addEventListener('connection:open', event => emit({ event: 'connected', ...describe(event.detail) }))
node.addEventListener('connection:close', event => emit({ event: 'disconnected', ...describe(event.detail) }))
node.addEventListener('peer:identify', event => {
  const found = event.detail
  emit({
    event: 'identified',
    peer: found.peerId.toString(),
    protocolVersion: found.protocolVersion,
    agent: found.agentVersion,
    addresses: found.listenAddrs.map(address => address.toString()),
    protocols: found.protocols,
    observed: found.observedAddr?.toString(),
    recordSequence: found.signedPeerRecord == null ? null : Number(found.signedPeerRecord.seq),
    recordAddresses: found.signedPeerRecord?.addresses.map(address => address.toString())
  })
})
node.addEventListener('peer:discovery', event => emit({
  event: 'discovered', peer: event.detail.id.toString(), addresses: event.detail.multiaddrs.map(address => address.toString())
}))
node.addEventListener('peer:update', event => emit({
  event: 'updated', peer: event.detail.peer.id.toString(), protocols: event.detail.peer.protocols
}))
node.addEventListener('self:peer:update', event => emit({
  event: 'self', addresses: node.getMultiaddrs().map(address => address.toString())
}))

const gossip = node.services.gossip
gossip?.addEventListener('message', event => emit({
  event: 'message',
  topic: event.detail.topic,
  from: event.detail.from?.toString(),
  sequence: event.detail.sequenceNumber == null ? null : event.detail.sequenceNumber.toString(),
  data: hex(event.detail.data)
}))
gossip?.addEventListener('gossipsub:graft', event => emit({ event: 'graft', ...event.detail }))
gossip?.addEventListener('gossipsub:prune', event => emit({ event: 'prune', ...event.detail }))
gossip?.addEventListener('subscription-change', event => emit({
  event: 'subscription', peer: event.detail.peerId.toString(), subscriptions: event.detail.subscriptions
}))

// Streams that commands read and write: by number, nothing is read until a command asks.
const streams = new Map()
let streamNumber = 0

function keep (stream) {
  const number = ++streamNumber
  stream.pause()
  const kept = { stream, chunks: [], error: null, wake: () => {} }
  stream.addEventListener('message', event => {
    kept.chunks.push(event.data.subarray())
    kept.wake()
  })
  stream.addEventListener('end', () => kept.wake())
  stream.addEventListener('close', event => {
    kept.error = event.error ?? null
    kept.wake()
    emit({ event: 'streamClosed', stream: number, error: event.error?.message ?? null })
  })
  streams.set(number, kept)
  return number
}

function kept (number) {
  const found = streams.get(number)
  if (found == null) {
    throw new Error(`no stream ${number}`)
  }
  return found
}

// Takes bytes until there are so many, or the remote's end; the stream is paused again afterwards.
async function take (number, bytesMax) {
  const from = kept(number)
  const digest = createHash('sha256')
  const head = []
  let bytes = 0
  const consume = () => {
    while (from.chunks.length > 0 && bytes < bytesMax) {
      let chunk = from.chunks.shift()
      if (chunk.length > bytesMax - bytes) {
        from.chunks.unshift(chunk.subarray(bytesMax - bytes))
        chunk = chunk.subarray(0, bytesMax - bytes)
      }
      digest.update(chunk)
      if (bytes < 4096) {
        head.push(Buffer.from(chunk.subarray(0, 4096 - bytes)))
      }
      bytes += chunk.length
    }
    return bytes >= bytesMax || from.error != null || ended(from.stream)
  }
  if (!consume()) {
    await new Promise(resolve => {
      from.wake = () => {
        if (consume()) {
          resolve()
        }
      }
      from.stream.resume()
    })
    if (from.stream.readStatus === 'readable') {
      from.stream.pause()
    }
    from.wake = () => {}
  }
  consume()
  if (from.error != null && bytes < bytesMax) {
    throw from.error
  }
  return { bytes, sha256: digest.digest('hex'), head: Buffer.concat(head).toString('hex'), ended: from.chunks.length === 0 && ended(from.stream) }
}

// The bytes that both sides can make: byte i is i * 31 + (i >> 8), so that neither order nor loss goes unseen.
function pattern (from, length) {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const at = from + i
    bytes[i] = (Math.imul(at, 31) + (at >>> 8)) & 0xff
  }
  return bytes
}

async function sendPattern (stream, length) {
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    if (!stream.send(pattern(at, Math.min(CHUNK_BYTES, length - at)))) {
      await stream.onDrain({ signal: AbortSignal.timeout(600_000) })
    }
  }
}

// Whether everything has been received: what negotiation read too much of is given back after the end was told.
function ended (stream) {
  return (stream.readableEnded || stream.status === 'closed') && stream.readBufferLength === 0
}

// What the stream receives until the remote's end. (The stream's own iterator waits for ever when that end came before it.)
async function * chunks (stream) {
  const received = []
  let failure = null
  let wake = () => {}
  stream.addEventListener('message', event => {
    received.push(event.data.subarray())
    wake()
  })
  stream.addEventListener('end', () => wake())
  stream.addEventListener('close', event => {
    failure = event.error ?? null
    wake()
  })
  while (true) {
    while (received.length > 0) {
      yield received.shift()
    }
    if (failure != null) {
      throw failure
    }
    if (ended(stream)) {
      return
    }
    await new Promise(resolve => { wake = resolve })
  }
}

async function copy (stream) {
  for await (const chunk of chunks(stream)) {
    if (!stream.send(chunk)) {
      await stream.onDrain({ signal: AbortSignal.timeout(600_000) })
    }
  }
}

// What a protocol does with an inbound stream.
const handlers = {
  // Sends back what comes, as fast as it is taken, and ends when the remote does.
  async echo (stream) {
    await copy(stream)
    await stream.close()
  },
  // Counts what comes and answers with the count as eight big-endian bytes at the remote's end.
  async sink (stream) {
    let bytes = 0
    for await (const chunk of chunks(stream)) {
      bytes += chunk.byteLength
    }
    const answer = Buffer.alloc(8)
    answer.writeBigUInt64BE(BigInt(bytes))
    stream.send(answer)
    await stream.close()
  },
  // Sends as many bytes of the pattern as the first eight bytes say.
  async source (stream) {
    let head = Buffer.alloc(0)
    for await (const chunk of chunks(stream)) {
      head = Buffer.concat([head, chunk.subarray()])
      if (head.length >= 8) {
        break
      }
    }
    await sendPattern(stream, Number(head.readBigUInt64BE()))
    await stream.close()
  },
  // Resets at the first bytes.
  async reset (stream) {
    stream.addEventListener('message', () => stream.abort(new Error('as asked')), { once: true })
  },
  // Leaves the stream to commands; an event tells its number.
  async hold (stream, connection) {
    emit({ event: 'stream', stream: keep(stream), protocol: stream.protocol, peer: connection.remotePeer.toString() })
  }
}

const streamOptions = { runOnLimitedConnection: true, maxInboundStreams: 4096, maxOutboundStreams: 4096 }
const target = command => command.address != null ? multiaddr(command.address) : peerIdFromString(command.peer)
const multihash = text => CID.createV1(RAW_CODEC, digests.decode(unhex(text)))
const info = found => ({ peer: found.id.toString(), addresses: found.multiaddrs.map(address => address.toString()) })
const signal = command => AbortSignal.timeout(command.timeoutMillis ?? PATIENCE_MILLIS)

async function collect (events, pick) {
  const found = []
  for await (const event of events) {
    const picked = pick(event)
    if (picked != null) {
      found.push(...picked)
    }
  }
  return found
}

const commands = {
  info: () => ({
    peer: node.peerId.toString(),
    addresses: node.getMultiaddrs().map(address => address.toString()),
    protocols: node.getProtocols(),
    connections: node.getConnections().map(describe),
    heapBytes: process.memoryUsage().heapUsed,
    residentBytes: process.memoryUsage().rss,
    externalBytes: process.memoryUsage().external
  }),

  dial: async command => describe(await node.dial(target(command), { signal: signal(command), force: command.force })),
  hangUp: async command => {
    await node.hangUp(peerIdFromString(command.peer), { signal: signal(command) })
    return {}
  },
  listen: async command => {
    await node.components.transportManager.listen([multiaddr(command.address)])
    return commands.info()
  },
  ping: async command => ({ millis: await node.services.ping.ping(target(command), { signal: signal(command) }) }),

  // What is known of another peer.
  peer: async command => {
    const peer = await node.peerStore.get(peerIdFromString(command.peer))
    return {
      addresses: peer.addresses.map(({ multiaddr, isCertified }) => ({ address: multiaddr.toString(), certified: isCertified })),
      protocols: peer.protocols,
      agent: new TextDecoder().decode(peer.metadata.get('AgentVersion')),
      record: peer.peerRecordEnvelope == null ? null : hex(peer.peerRecordEnvelope)
    }
  },
  // Every address of this peer and whether others have confirmed it.
  ownAddresses: () => node.components.addressManager.getAddressesWithMetadata()
    .map(({ multiaddr, verified, type }) => ({ address: multiaddr.toString(), verified, type })),
  confirmAddress: command => {
    node.components.addressManager.confirmObservedAddr(multiaddr(command.address))
    return {}
  },

  // Reads nothing and answers nothing until there is a file of this name; what libraries do on threads of their own goes
  // on. An event tells that it has begun.
  freeze: async command => {
    const flag = new Int32Array(new SharedArrayBuffer(4))
    const watch = new Worker(`
      const { existsSync } = require('node:fs')
      const { workerData } = require('node:worker_threads')
      const flag = new Int32Array(workerData.memory)
      const look = setInterval(() => {
        if (existsSync(workerData.until)) {
          clearInterval(look)
          Atomics.store(flag, 0, 1)
          Atomics.notify(flag, 0)
        }
      }, 20)`, { eval: true, workerData: { memory: flag.buffer, until: command.until } })
    await once(watch, 'online')
    emit({ event: 'freezing' })
    Atomics.wait(flag, 0, 0, 300_000)
    return {}
  },

  handle: async command => {
    await node.handle(command.protocol, (stream, connection) => {
      handlers[command.how](stream, connection).catch(error => {
        emit({ event: 'streamFailed', protocol: command.protocol, error: error.message })
        stream.abort(error)
      })
    }, streamOptions)
    return {}
  },
  unhandle: async command => {
    await node.unhandle(command.protocol)
    return {}
  },
  open: async command => {
    const stream = await node.dialProtocol(target(command), command.protocol, {
      ...streamOptions, signal: signal(command), negotiateFully: command.negotiateFully ?? true
    })
    return { stream: keep(stream), protocol: stream.protocol }
  },
  send: command => {
    kept(command.stream).stream.send(unhex(command.data))
    return {}
  },
  sendPattern: async command => {
    await sendPattern(kept(command.stream).stream, command.bytes)
    return {}
  },
  // What was sent and not yet given to the socket, and what was received and not yet taken.
  buffered: command => ({
    write: kept(command.stream).stream.writeBufferLength, read: kept(command.stream).stream.readBufferLength
  }),
  take: command => take(command.stream, command.bytes ?? Number.MAX_SAFE_INTEGER),
  closeWrite: async command => {
    await kept(command.stream).stream.close({ signal: signal(command) })
    return {}
  },
  reset: command => {
    kept(command.stream).stream.abort(new Error('as asked'))
    return {}
  },

  subscribe: command => {
    gossip.subscribe(command.topic)
    return {}
  },
  unsubscribe: command => {
    gossip.unsubscribe(command.topic)
    return {}
  },
  publish: async command => {
    const sent = await gossip.publish(command.topic, unhex(command.data))
    return { recipients: sent.recipients.map(peer => peer.toString()) }
  },
  // Publishes in another peer's name, signed with this peer's key.
  forge: async command => {
    const honest = gossip.publishConfig
    gossip.publishConfig = { ...honest, author: peerIdFromString(command.from) }
    try {
      return await commands.publish(command)
    } finally {
      gossip.publishConfig = honest
    }
  },
  // Grafts whatever the backoff says.
  graft: command => {
    gossip.sendGraft(command.peer, [command.topic])
    return {}
  },
  subscribers: command => ({ peers: gossip.getSubscribers(command.topic).map(peer => peer.toString()) }),
  mesh: command => ({ peers: gossip.getMeshPeers(command.topic) }),
  score: command => ({ score: gossip.getScore(command.peer) }),

  provide: async command => {
    await collect(node.services.kad.provide(multihash(command.multihash), { signal: signal(command) }), () => null)
    return {}
  },
  findProviders: async command => ({
    providers: await collect(node.services.kad.findProviders(multihash(command.multihash), { signal: signal(command) }),
      event => event.name === 'PROVIDER' ? event.providers.map(info) : null)
  }),
  findPeer: async command => ({
    found: await collect(node.services.kad.findPeer(peerIdFromString(command.peer), { signal: signal(command) }),
      event => event.name === 'FINAL_PEER' ? [info(event.peer)] : null)
  }),
  closestPeers: async command => ({
    peers: await collect(node.services.kad.getClosestPeers(unhex(command.key), { signal: signal(command) }),
      event => event.name === 'FINAL_PEER' ? [info(event.peer)] : null)
  }),
  table: () => ({ size: node.services.kad.routingTable.size, mode: node.services.kad.getMode() }),

  reservations: () => ({ peers: [...node.services.relay.reservations.keys()].map(peer => peer.toString()) }),

  // Measures: one stream, so many bytes, until the remote has counted them; nothing is computed per byte.
  benchStream: async command => {
    const stream = await node.dialProtocol(target(command), command.protocol, streamOptions)
    const chunk = new Uint8Array(CHUNK_BYTES)
    const answered = new Promise((resolve, reject) => {
      const answer = []
      stream.addEventListener('message', event => {
        answer.push(Buffer.from(event.data.subarray()))
        if (Buffer.concat(answer).length >= 8) {
          resolve(Number(Buffer.concat(answer).readBigUInt64BE()))
        }
      })
      stream.addEventListener('close', event => reject(event.error ?? new Error('closed')))
    })
    const start = process.hrtime.bigint()
    for (let sent = 0; sent < command.bytes; sent += CHUNK_BYTES) {
      if (!stream.send(chunk)) {
        await stream.onDrain({ signal: AbortSignal.timeout(600_000) })
      }
    }
    await stream.close({ signal: AbortSignal.timeout(600_000) })
    const counted = await answered
    return { nanos: Number(process.hrtime.bigint() - start), bytes: counted }
  },
  // Measures: messages of so many bytes to an echo and back, one after another on one stream.
  benchRoundTrips: async command => {
    const stream = await node.dialProtocol(target(command), command.protocol, streamOptions)
    const message = new Uint8Array(command.bytes)
    let got = 0
    let wake = () => {}
    stream.addEventListener('message', event => {
      got += event.data.byteLength
      if (got >= command.bytes) {
        got -= command.bytes
        wake()
      }
    })
    const start = process.hrtime.bigint()
    for (let i = 0; i < command.count; i++) {
      const back = new Promise(resolve => { wake = resolve })
      stream.send(message)
      await back
    }
    const nanos = Number(process.hrtime.bigint() - start)
    await stream.close()
    return { nanos }
  },
  // Measures: as above with a new stream for each message, as request and response protocols do.
  benchRequests: async command => {
    const message = new Uint8Array(command.bytes)
    const connection = await node.dial(target(command))
    const start = process.hrtime.bigint()
    for (let i = 0; i < command.count; i++) {
      const stream = await connection.newStream(command.protocol, { ...streamOptions, negotiateFully: false })
      let got = 0
      const back = new Promise(resolve => stream.addEventListener('message', event => {
        got += event.data.byteLength
        if (got >= command.bytes) {
          resolve()
        }
      }))
      stream.send(message)
      void stream.close()
      await back
    }
    return { nanos: Number(process.hrtime.bigint() - start) }
  },
  // Measures: dial, secure, multiplex and one byte there and back; the time of each.
  benchConnects: async command => {
    const nanos = []
    for (let i = 0; i < command.count; i++) {
      const start = process.hrtime.bigint()
      const connection = await node.dial(target(command))
      if (command.protocol != null) {
        const stream = await connection.newStream(command.protocol, { ...streamOptions, negotiateFully: false })
        const back = new Promise(resolve => stream.addEventListener('message', resolve, { once: true }))
        stream.send(new Uint8Array(1))
        await back
      }
      nanos.push(Number(process.hrtime.bigint() - start))
      await connection.close()
    }
    return { nanos }
  }
}

async function run (line) {
  const command = JSON.parse(line)
  try {
    emit({ id: command.id, ok: await commands[command.do](command) })
  } catch (error) {
    const causes = error.errors?.map(cause => cause.message).join('; ')
    emit({ id: command.id, error: `${error.name}: ${error.message}${causes == null ? '' : ': ' + causes}` })
  }
}

const input = createInterface({ input: process.stdin })
input.on('line', line => { void run(line) })
input.on('close', () => process.exit(0))
emit({ event: 'ready', ...commands.info() })
