"""Calls a local service through a real client of AWS, which fails as a schedule says, and writes what the client did.

Each line is a call: what its attempts would come to one after another (O ok, E a 500, R throttled, X the connection is closed,
T no answer in time), how many of them the client made, how the call ended, and what is left of the quota.
"""

import http.server
import threading
import time
import types

import botocore.session
from botocore import endpoint
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries import quota

TIMEOUT = 0.25
CALLS = 400
ATTEMPTS = 3


def below(n, state=[20261130]):
    """The numbers of Park and Miller: the same everywhere."""
    state[0] = state[0] * 48271 % 2147483647
    return state[0] % n


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    script = []
    seen = 0

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        outcome = Service.script[Service.seen]
        Service.seen += 1
        if outcome == "X":
            self.close_connection = True
            self.connection.close()
            return
        if outcome == "T":
            time.sleep(1.5 * TIMEOUT)
            self.close_connection = True
            return
        status, body = {
            "O": (200, b"{}"),
            "E": (500, b'{"__type": "InternalFailure"}'),
            "R": (400, b'{"__type": "ThrottlingException"}'),
        }[outcome]
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def schedule(number):
    """Bad times and good times, so that the quota is seen full, empty and on its way."""
    bad = [5, 60, 95, 30, 10][number // 40 % 5]
    kinds = "EERRX" + ("T" if number % 14 == 0 else "")
    return "".join(kinds[below(len(kinds))] if below(100) < bad else "O" for _ in range(ATTEMPTS))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
server.handle_error = lambda *_: None
threading.Thread(target=server.serve_forever, daemon=True).start()

# What is asked is how often it tries, not how long it waits in between.
real = time.sleep
endpoint.time = types.SimpleNamespace(sleep=lambda _: None, time=time.time)
kept = []
plain = quota.RetryQuota.__init__
quota.RetryQuota.__init__ = lambda self, *args, **kwargs: (kept.append(self), plain(self, *args, **kwargs))[1]

client = botocore.session.Session().create_client(
    "secretsmanager",
    region_name="eu-central-1",
    aws_access_key_id="nobody",
    aws_secret_access_key="nothing",
    endpoint_url=f"http://127.0.0.1:{server.server_port}",
    config=Config(retries={"mode": "standard"}, read_timeout=TIMEOUT, connect_timeout=5),
)
print("# What an AWS client (botocore, retry mode standard) made of calls whose attempts fail so, one after another.")
print("# attempts it was given, attempts it made, how the call ended, what is left of its quota")
for number in range(CALLS):
    Service.script, Service.seen = schedule(number), 0
    try:
        client.list_secrets()
        ended = "ok"
    except (ClientError, BotoCoreError):
        ended = "failed"
    print(Service.script, Service.seen, ended, kept[-1].available_capacity)
