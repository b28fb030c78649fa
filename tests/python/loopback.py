"""A server of this computer for a test: `serve` says what it does with each connection."""

import socket
import threading


class Server:
    """Takes one connection after another, each in a thread of its own, from when it is made until close().

    Subclasses have `serve(connection, number)`; the first connection is number 1. It is closed when serve() returns,
    and when the other side has gone in the middle."""

    def __init__(self):
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._run, args=(connection, self.connections), daemon=True).start()

    def _run(self, connection, number):
        try:
            self.serve(connection, number)
        except (OSError, EOFError):
            pass
        finally:
            connection.close()

    def close(self):
        self._socket.close()
