// SPDX-License-Identifier: Apache-2.0
// JSSE as a peer of the interop matrix: one JVM for all cells, lines as cell.h tells.
import java.io.*;
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

public class Peer {
	static final int PATIENCE_MS = 8000;
	final Map<String, String> words = new HashMap<>();
	final boolean serve;

	Peer(String line) {
		String[] parts = line.trim().split(" +");
		serve = parts[0].equals("serve");
		for (String part : parts) {
			int at = part.indexOf('=');
			if (at > 0)
				words.put(part.substring(0, at), part.substring(at + 1));
		}
	}

	String word(String name) {
		return words.getOrDefault(name, "");
	}

	/** Of a connection; only datagrams have more than one. */
	int port(int which) {
		String[] ports = word("port").split(",");
		String port = which < ports.length && !ports[which].equals("0") ? ports[which] : ports[0];
		return Integer.parseInt(port);
	}

	boolean flag(String name) {
		return word(name).equals("1");
	}

	static void say(String line) {
		System.out.println(line);
		System.out.flush();
	}

	// -- credentials

	static Collection<? extends java.security.cert.Certificate> certificates(String file) throws Exception {
		try (InputStream in = new FileInputStream(file)) {
			return CertificateFactory.getInstance("X.509").generateCertificates(in);
		}
	}

	static PrivateKey key(String file, String kind) throws Exception {
		String text = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
		return KeyFactory.getInstance(kind).generatePrivate(
			new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
	}

	SSLContext context() throws Exception {
		KeyStore anchors = KeyStore.getInstance("PKCS12"), own = KeyStore.getInstance("PKCS12");
		anchors.load(null, null);
		own.load(null, null);
		for (java.security.cert.Certificate cert : certificates(word("ca")))
			anchors.setCertificateEntry("ca", cert);
		if (!word("cert").isEmpty())
			own.setKeyEntry("own", key(word("key"), word("way").equals("RSA") ? "RSA" : "EC"), new char[0],
				certificates(word("cert")).toArray(new java.security.cert.Certificate[0]));
		TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
		trust.init(anchors);
		KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
		keys.init(own, new char[0]);
		boolean datagrams = word("version").startsWith("D");
		SSLContext context = SSLContext.getInstance(datagrams ? "DTLS" : "TLS");
		context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
		return context;
	}

	String version() {
		String version = word("version");
		return version.endsWith("1.0") && !version.startsWith("D") ? "TLSv1" : version.replace("TLS", "TLSv");
	}

	void settings(SSLParameters p) {
		p.setProtocols(new String[] {version()});
		p.setNeedClientAuth(serve && flag("auth"));
		if (!serve) {
			p.setEndpointIdentificationAlgorithm("HTTPS");
			p.setServerNames(List.of(new SNIHostName(word("name"))));
		}
	}

	// -- over TCP

	static String line(InputStream in) throws IOException {
		StringBuilder text = new StringBuilder();
		for (int c; (c = in.read()) >= 0;) {
			text.append((char) c);
			if (c == '\n')
				return text.toString();
		}
		return text.length() == 0 ? null : text.toString();
	}

	static void same(String wanted, String got) throws IOException {
		if (!wanted.equals(got))
			throw new IOException((got == null ? "an end" : got.trim()) + " instead of " + wanted.trim());
	}

	int again;

	/** A server has only sent its HelloRequest then; what the client does is seen while we read. */
	void begin(SSLSocket socket) throws IOException {
		int before = again;
		socket.startHandshake();
		if (word("version").equals("TLS1.3"))
			again++;
		if (serve || word("version").equals("TLS1.3"))
			return;
		socket.setSoTimeout(20);
		for (long end = System.currentTimeMillis() + PATIENCE_MS; again == before && System.currentTimeMillis() < end;)
			try {
				socket.getInputStream().read(new byte[0]);
				if (socket.getInputStream().read() >= 0)
					throw new IOException("data in the midst");
			} catch (SocketTimeoutException e) {
				// the listener is told by another thread
			}
		socket.setSoTimeout(PATIENCE_MS);
	}

	void talk(SSLSocket socket) throws IOException {
		InputStream in = socket.getInputStream();
		OutputStream out = socket.getOutputStream();
		boolean renegotiates = word("kind").equals("again"), due = renegotiates && flag("begins");
		if (serve) {
			for (String got; (got = line(in)) != null;) {
				out.write(got.getBytes());
				if (due) {
					due = false;
					begin(socket);
					if (flag("go"))
						out.write("go\n".getBytes());
				}
			}
			return;
		}
		out.write("one\n".getBytes());
		same("one\n", line(in));
		if (due)
			begin(socket);
		else if (renegotiates)
			same("go\n", line(in));
		out.write("two\n".getBytes());
		same("two\n", line(in));
	}

	void over(SSLSocket socket, Set<String> seen) throws IOException {
		String what = "the handshake";
		SSLSession session = null;
		try (socket) {
			SSLParameters p = socket.getSSLParameters();
			socket.setSoTimeout(PATIENCE_MS);
			settings(p);
			socket.setSSLParameters(p);
			socket.setUseClientMode(!serve);
			socket.startHandshake();
			what = "the talk";
			session = socket.getSession();
			String id = id(session);
			boolean resumed = !id.isEmpty() && !seen.add(id);
			socket.addHandshakeCompletedListener(e -> again++);
			// Of a resumed session a server of JSSE sees neither the first id nor the first moment again.
			boolean tells = !word("version").equals("TLS1.3") && !serve;
			String up = told(session) + " resumed=" + (!tells ? "" : resumed ? "1" : "0");
			say("up " + up);
			talk(socket);
			say("ok " + up + " again=" + again);
		} catch (IOException e) {
			say("failed " + what + ": " + words(e));
		}
	}

	/** The moment of its making is that of the session which a resumed one goes back to. */
	static String id(SSLSession session) {
		return session.getCreationTime() + ":" + HexFormat.of().formatHex(session.getId());
	}

	static String told(SSLSession session) {
		return "version=" + session.getProtocol() + " suite=" + session.getCipherSuite();
	}

	static String words(Throwable e) {
		return String.valueOf(e).replaceAll("\\s+", " ");
	}

	void play() throws Exception {
		SSLContext context = context();
		int conns = Integer.parseInt(word("conns"));
		Set<String> seen = new HashSet<>();
		if (word("version").startsWith("D")) {
			new Datagrams(this, context).play(conns);
			return;
		}
		if (!serve) {
			for (int i = 0; i < conns; i++) {
				Socket plain = new Socket(InetAddress.getLoopbackAddress(), port(0));
				// By name and port JSSE finds the session to resume.
				over((SSLSocket) context.getSocketFactory().createSocket(plain, word("name"),
					plain.getPort(), true), seen);
			}
			return;
		}
		try (ServerSocket listener = new ServerSocket(0, 4, InetAddress.getLoopbackAddress())) {
			listener.setSoTimeout(PATIENCE_MS);
			say("port " + listener.getLocalPort());
			for (int i = 0; i < conns; i++) {
				Socket plain = listener.accept();
				over((SSLSocket) context.getSocketFactory().createSocket(plain, null, true), seen);
			}
		}
	}

	public static void main(String[] args) throws Exception {
		Security.setProperty("jdk.tls.disabledAlgorithms", "NULL");
		Security.setProperty("jdk.certpath.disabledAlgorithms", "MD5");
		System.setProperty("jdk.tls.client.enableSessionTicketExtension", "true");
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
		for (String line; (line = in.readLine()) != null;) {
			try {
				new Peer(line).play();
			} catch (Exception e) {
				say("failed before: " + words(e));
			}
			say("end");
		}
	}
}

/** The same talk in datagrams, by an engine: JSSE has no sockets for DTLS. */
class Datagrams {
	final Peer peer;
	final SSLContext context;
	DatagramSocket socket;
	SSLEngine engine;
	final Deque<String> heard = new ArrayDeque<>();
	boolean over;
	int again;

	Datagrams(Peer peer, SSLContext context) {
		this.peer = peer;
		this.context = context;
	}

	void play(int conns) throws Exception {
		Set<String> seen = new HashSet<>();
		DatagramSocket[] sockets = new DatagramSocket[2];
		for (int i = 0; i < 2; i++)
			sockets[i] = new DatagramSocket(0, InetAddress.getLoopbackAddress());
		if (peer.serve)
			Peer.say("port " + sockets[0].getLocalPort() + "," + sockets[1].getLocalPort());
		for (int i = 0; i < conns; i++) {
			socket = sockets[i];
			if (!peer.serve)
				socket.connect(InetAddress.getLoopbackAddress(), peer.port(i));
			one(seen);
		}
		for (DatagramSocket each : sockets)
			each.close();
	}

	void one(Set<String> seen) throws Exception {
		String what = "the handshake";
		engine = context.createSSLEngine(peer.word("name"), 1);
		SSLParameters p = engine.getSSLParameters();
		peer.settings(p);
		p.setMaximumPacketSize(1200);
		engine.setSSLParameters(p);
		engine.setUseClientMode(!peer.serve);
		over = false;
		again = 0;
		try {
			engine.beginHandshake();
			settle();
			what = "the talk";
			String id = Peer.id(engine.getSession());
			String up = Peer.told(engine.getSession()) + " resumed=" + (peer.serve ? "" : seen.add(id) ? "0" : "1");
			Peer.say("up " + up);
			talk();
			Peer.say("ok " + up + " again=" + again);
		} catch (IOException e) {
			try {
				flush();
			} catch (IOException more) {
				// the first is told
			}
			Peer.say("failed " + what + ": " + Peer.words(e));
		}
	}

	void talk() throws IOException {
		boolean renegotiates = peer.word("kind").equals("again"), due = renegotiates && peer.flag("begins");
		if (!peer.serve) {
			say("one\n");
			Peer.same("one\n", hear());
			if (due)
				begin();
			else if (renegotiates)
				Peer.same("go\n", hear());
			say("two\n");
			Peer.same("two\n", hear());
		} else {
			for (String got; (got = hear()) != null;) {
				say(got);
				if (due) {
					due = false;
					begin();
				}
			}
		}
		engine.closeOutbound();
		flush();
	}

	void begin() throws IOException {
		engine.beginHandshake();
		settle();
		again++;
		if (peer.serve)
			say("go\n");
	}

	/** Carry a handshake to its end. */
	void settle() throws IOException {
		SSLEngineResult.HandshakeStatus at = engine.getHandshakeStatus();
		boolean finished = false;
		while (!finished) {
			switch (at) {
			case NEED_WRAP:
				finished = wrap(ByteBuffer.allocate(0)).getHandshakeStatus() == SSLEngineResult.HandshakeStatus.FINISHED;
				break;
			case NEED_TASK:
				for (Runnable task; (task = engine.getDelegatedTask()) != null;)
					task.run();
				break;
			case NOT_HANDSHAKING:
				if (!peer.serve || again > 0)
					return;
				finished = receive();
				break;
			default:
				finished = receive();
			}
			if (over)
				throw new IOException("an end");
			at = engine.getHandshakeStatus();
		}
	}

	SSLEngineResult wrap(ByteBuffer clear) throws IOException {
		ByteBuffer out = ByteBuffer.allocate(20000);
		SSLEngineResult result = engine.wrap(clear, out);
		if (out.position() > 0)
			socket.send(new DatagramPacket(out.array(), out.position(), socket.getRemoteSocketAddress()));
		return result;
	}

	void flush() throws IOException {
		while (engine.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_WRAP)
			if (wrap(ByteBuffer.allocate(0)).bytesProduced() == 0)
				break;
	}

	ByteBuffer rest = ByteBuffer.allocate(0);

	/** One datagram, or what is left of one, into the engine. @return whether a handshake ended */
	boolean receive() throws IOException {
		ByteBuffer clear = ByteBuffer.allocate(20000);
		if (!rest.hasRemaining() && engine.getHandshakeStatus() != SSLEngineResult.HandshakeStatus.NEED_UNWRAP_AGAIN) {
			DatagramPacket packet = new DatagramPacket(new byte[20000], 20000);
			socket.setSoTimeout(Peer.PATIENCE_MS);
			socket.receive(packet);
			if (!socket.isConnected())
				socket.connect(packet.getSocketAddress());
			rest = ByteBuffer.wrap(packet.getData(), 0, packet.getLength());
		}
		SSLEngineResult result = engine.unwrap(rest, clear);
		if (result.getStatus() == SSLEngineResult.Status.CLOSED)
			over = true;
		if (clear.position() > 0)
			heard.add(new String(clear.array(), 0, clear.position()));
		return result.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.FINISHED;
	}

	void say(String text) throws IOException {
		wrap(ByteBuffer.wrap(text.getBytes()));
	}

	String hear() throws IOException {
		while (heard.isEmpty() && !over) {
			receive();
			SSLEngineResult.HandshakeStatus at = engine.getHandshakeStatus();
			if (!over && (at == SSLEngineResult.HandshakeStatus.NEED_TASK
				|| at == SSLEngineResult.HandshakeStatus.NEED_WRAP))
				settle();
		}
		return heard.poll();
	}
}
