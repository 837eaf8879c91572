"""A minimal Kubernetes API: the object of one node, over TLS, for clients with the token.

api_server.py ADDRESS PORT CERTIFICATE KEY TOKEN LOG ANSWER...

Each request is answered with the next ANSWER, at the end with the last one again. LOG has one line per request.
"""

import http.server
import socket
import ssl
import sys

address, port, certificate, key, token, log, *answers = sys.argv[1:]


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers.get("Authorization") == "Bearer " + token
        found = self.path == "/api/v1/nodes/node1"
        status = 401 if not allowed else 404 if not found else 200
        with open(log, "a", encoding="utf-8") as requests:
            requests.write(f"{self.path} {status}\n")
        self.send_response(status)
        self.end_headers()
        if status == 200:
            self.wfile.write((answers.pop(0) if len(answers) > 1 else answers[0]).encode())

    def log_message(self, *_):
        pass


class Server(http.server.HTTPServer):
    address_family = socket.AF_INET6 if ":" in address else socket.AF_INET


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server = Server((address, int(port)), Api)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
