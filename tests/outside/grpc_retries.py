"""Calls a local gRPC server that fails as a schedule says through a real channel with a retry policy and a throttle, and writes how
often the channel tried.

Each line is a call: what its attempts would come to one after another (O ok, U unavailable, which is retried, I an invalid argument,
which is not), how many of them were made, and how the call ended.
"""

import json
from concurrent import futures

import grpc

CALLS = 1400
ATTEMPTS = 4
CONFIG = {
    "methodConfig": [{
        "name": [{}],
        "retryPolicy": {
            "maxAttempts": ATTEMPTS,
            "initialBackoff": "0.01s",
            "maxBackoff": "0.01s",
            "backoffMultiplier": 1,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}


def below(n, state=[20261130]):
    """The numbers of Park and Miller: the same everywhere."""
    state[0] = state[0] * 48271 % 2147483647
    return state[0] % n


def schedule(number):
    """Good times and bad times, so that tokens are seen full, at half and gone."""
    bad = [3, 8, 5, 60, 0, 0, 10][number // 50 % 7]
    return "".join("UUUI"[below(4)] if below(100) < bad else "O" for _ in range(ATTEMPTS))


class Service(grpc.GenericRpcHandler):
    script = ""
    seen = 0

    def service(self, _):
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, _, context):
        outcome = self.script[self.seen]
        self.seen += 1
        if outcome != "O":
            context.abort({"U": grpc.StatusCode.UNAVAILABLE, "I": grpc.StatusCode.INVALID_ARGUMENT}[outcome], "so it is")
        return b""


service = Service()
server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=(service,))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.service_config", json.dumps(CONFIG))])
call = channel.unary_unary("/a.Service/Call")
print("# What a gRPC channel (grpcio, retryPolicy of 4 attempts, retryThrottling 10 and 0.1) made of calls whose attempts fail so.")
print("# attempts it was given, attempts it made, how the call ended")
for number in range(CALLS):
    service.script, service.seen = schedule(number), 0
    try:
        call(b"", timeout=30)
        ended = "ok"
    except grpc.RpcError as error:
        assert error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, error
        ended = "failed"
    print(service.script, service.seen, ended)
server.stop(None)
