"""A minimal Kubernetes API behind "kubectl proxy": the object of node1, on a Unix socket.

api_server.py SOCKET LOG ANSWER...

Each request is answered with the next ANSWER, at the end with the last one again: a body, or a status of three digits.
LOG has one line per request.
"""

import http.server
import re
import socketserver
import sys

socket, log, *answers = sys.argv[1:]


class Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        refusal = re.fullmatch("[0-9]{3}", answer)
        # What kubectl proxy accepts by default.
        allowed = re.match(r"localhost$|127\.0\.0\.1$|\[::1\]$", self.headers.get("Host", ""))
        found = self.path == "/api/v1/nodes/node1"
        status = int(answer) if refusal else 403 if not allowed else 404 if not found else 200
        with open(log, "a", encoding="utf-8") as requests:
            requests.write(f"{self.path} {status}\n")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(answer.encode() if status == 200 else b'{"kind": "Status"}')

    def log_message(self, *_):
        pass


socketserver.UnixStreamServer(socket, Api).serve_forever()
