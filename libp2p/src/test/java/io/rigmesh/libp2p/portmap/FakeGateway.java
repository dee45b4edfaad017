package io.rigmesh.libp2p.portmap;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bitlet.weupnp.GatewayDevice;
import org.xml.sax.SAXException;

/// A router that speaks UPnP's SOAP over HTTP: the part of it behind discovery.
final class FakeGateway implements AutoCloseable {
  private static final String SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1";

  private final HttpServer server;
  private final String outside;

  /// External port and protocol, to internal client and port.
  final Map<String, String> mappings = new ConcurrentHashMap<>();

  /// External ports that belong to somebody else.
  final Set<String> taken = ConcurrentHashMap.newKeySet();

  /// How often the description was asked for, and what its document type names.
  final AtomicInteger described = new AtomicInteger();

  final AtomicInteger fetched = new AtomicInteger();
  private volatile String documentType = "";

  FakeGateway(String outside) throws IOException {
    this.outside = outside;
    this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/description.xml",
        exchange -> {
          described.incrementAndGet();
          answer(exchange, 200, documentType + description());
        });
    server.createContext(
        "/entities.dtd",
        exchange -> {
          fetched.incrementAndGet();
          answer(exchange, 200, "");
        });
    server.createContext("/control", this::control);
    server.start();
  }

  /// From now on describes itself with a document type, which makes a careless reader fetch it.
  void poison() {
    documentType =
        "<!DOCTYPE root SYSTEM \"http://127.0.0.1:"
            + server.getAddress().getPort()
            + "/entities.dtd\">\n";
  }

  GatewayDevice device() throws IOException, SAXException {
    GatewayDevice device = new GatewayDevice();
    device.setLocation("http://127.0.0.1:" + server.getAddress().getPort() + "/description.xml");
    device.setLocalAddress(InetAddress.getLoopbackAddress());
    device.loadDescription();
    return device;
  }

  private static String description() {
    return """
    <root xmlns="urn:schemas-upnp-org:device-1-0">
      <device>
        <deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
        <serviceList>
          <service>
            <serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>
            <controlURL>/common</controlURL>
            <eventSubURL>/events</eventSubURL>
            <SCPDURL>/common.xml</SCPDURL>
          </service>
          <service>
            <serviceType>%s</serviceType>
            <controlURL>/control</controlURL>
            <eventSubURL>/events</eventSubURL>
            <SCPDURL>/scpd.xml</SCPDURL>
          </service>
        </serviceList>
      </device>
    </root>
    """
        .formatted(SERVICE);
  }

  private void control(HttpExchange exchange) throws IOException {
    String request = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String action = exchange.getRequestHeaders().getFirst("SOAPAction");
    if (action.contains("#GetExternalIPAddress")) {
      answer(
          exchange, 200, response("<NewExternalIPAddress>" + outside + "</NewExternalIPAddress>"));
      return;
    }
    String port = field(request, "NewExternalPort") + " " + field(request, "NewProtocol");
    if (action.contains("#AddPortMapping")) {
      if (taken.contains(port)) {
        answer(exchange, 500, response("<errorCode>718</errorCode>"));
        return;
      }
      mappings.put(
          port, field(request, "NewInternalClient") + " " + field(request, "NewInternalPort"));
    } else if (action.contains("#DeletePortMapping")) {
      mappings.remove(port);
    }
    answer(exchange, 200, response(""));
  }

  private static String response(String body) {
    return "<?xml version=\"1.0\"?><Envelope><Body>" + body + "</Body></Envelope>";
  }

  private static String field(String request, String name) {
    Matcher matcher = Pattern.compile("<" + name + ">([^<]*)</" + name + ">").matcher(request);
    return matcher.find() ? matcher.group(1) : "";
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
