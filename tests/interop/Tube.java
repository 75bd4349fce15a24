// SPDX-License-Identifier: Apache-2.0
// A TLS client of JSSE between a program and a server: what comes on stdin goes there, what comes from there goes to stdout. A line of 0x01 alone
// begins a renegotiation of its own. Arguments: port, CA file, name, version (TLSv1.2). On stderr: `up`, `again` for each handshake after it.
import java.io.*;
import java.net.*;
import java.security.KeyStore;
import java.security.cert.*;
import java.util.List;
import javax.net.ssl.*;

public class Tube {
	public static void main(String[] args) throws Exception {
		KeyStore anchors = KeyStore.getInstance("PKCS12");
		anchors.load(null, null);
		try (InputStream in = new FileInputStream(args[1])) {
			anchors.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
		}
		TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
		trust.init(anchors);
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, trust.getTrustManagers(), null);
		Socket plain = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(args[0]));
		SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, args[2], plain.getPort(), true);
		SSLParameters p = socket.getSSLParameters();
		p.setProtocols(new String[] {args[3]});
		p.setEndpointIdentificationAlgorithm("HTTPS");
		p.setServerNames(List.of(new SNIHostName(args[2])));
		socket.setSSLParameters(p);
		socket.startHandshake();
		System.err.println("up");
		socket.addHandshakeCompletedListener(e -> System.err.println("again"));
		socket.setSoTimeout(20);
		Thread in = new Thread(() -> {
			try {
				receive(socket);
			} catch (IOException e) {
				System.err.println("over: " + e);
			}
			Runtime.getRuntime().halt(0);
		});
		in.start();
		byte[] block = new byte[65536];
		for (int count; (count = System.in.read(block)) > 0;)
			if (count == 2 && block[0] == 1 && block[1] == '\n')
				begin = true;
			else
				socket.getOutputStream().write(block, 0, count);
		socket.close();
	}

	static volatile boolean begin;

	/** Who reads renegotiates, too: JSSE does not bear that in two threads. */
	static void receive(SSLSocket socket) throws IOException {
		byte[] block = new byte[65536];
		for (;;) {
			if (begin) {
				begin = false;
				socket.startHandshake();
			}
			try {
				int count = socket.getInputStream().read(block);
				if (count < 0)
					return;
				System.out.write(block, 0, count);
				System.out.flush();
			} catch (SocketTimeoutException e) {
				// nothing has come; is there something to begin?
			}
		}
	}
}
