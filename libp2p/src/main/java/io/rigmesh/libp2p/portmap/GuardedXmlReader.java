package io.rigmesh.libp2p.portmap;

import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import javax.xml.XMLConstants;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.parsers.SAXParserFactory;
import org.jspecify.annotations.Nullable;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.XMLReader;
import org.xml.sax.helpers.XMLFilterImpl;

/// Reads short XML without document types, and so without what these fetch or multiply. weupnp
/// reads whatever a machine on the local network sends with the reader that Java has for the thread
/// it runs on; see [#use].
///
/// Public because Java makes it by its name.
public final class GuardedXmlReader extends XMLFilterImpl {
  private static final int BYTES_MAX = 256 * 1024;
  private static final String NAMED_BY = "META-INF/services/org.xml.sax.driver";

  /// A reader that refuses document types.
  public GuardedXmlReader() throws SAXException {
    super(reader());
  }

  private static XMLReader reader() throws SAXException {
    SAXParserFactory factory = SAXParserFactory.newDefaultNSInstance();
    try {
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      return factory.newSAXParser().getXMLReader();
    } catch (ParserConfigurationException e) {
      throw new SAXException("This Java runtime cannot read XML without document types", e);
    }
  }

  /// Makes this the reader of everything on this thread, and on threads that it starts.
  static void use(Thread thread) {
    thread.setContextClassLoader(new Naming(GuardedXmlReader.class.getClassLoader()));
  }

  @Override
  public void parse(InputSource input) throws IOException, SAXException {
    InputStream bytes = input.getByteStream();
    if (bytes == null) {
      throw new SAXException("XML is read from bytes that are at hand only");
    }
    super.parse(new InputSource(new Bounded(bytes)));
  }

  /// Names this class to Java's factory, and is the class loader it was otherwise.
  private static final class Naming extends ClassLoader {
    Naming(ClassLoader otherwise) {
      super(otherwise);
    }

    @Override
    public @Nullable InputStream getResourceAsStream(String name) {
      return name.equals(NAMED_BY)
          ? new ByteArrayInputStream(
              GuardedXmlReader.class.getName().getBytes(StandardCharsets.UTF_8))
          : super.getResourceAsStream(name);
    }
  }

  /// Fails when there is more than a router has to say.
  private static final class Bounded extends FilterInputStream {
    private int left = BYTES_MAX;

    Bounded(InputStream bytes) {
      super(bytes);
    }

    @Override
    public int read() throws IOException {
      int one = super.read();
      return one < 0 ? one : counted(1, one);
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int count = super.read(into, offset, length);
      return count < 0 ? count : counted(count, count);
    }

    private int counted(int count, int result) throws IOException {
      left -= count;
      if (left < 0) {
        throw new IOException("A router's XML is over " + BYTES_MAX + " bytes");
      }
      return result;
    }
  }
}
