"""An OpenTelemetry collector that keeps nothing and says how much came: `benchmarks.telemetry`."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Taking(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        print(len(self.rfile.read(int(self.headers["Content-Length"]))), "bytes", flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        return


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    print(server.server_address[1], flush=True)
    server.serve_forever()
