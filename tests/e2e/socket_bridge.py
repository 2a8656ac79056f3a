"""The vendor's transcript socket in front of the simulator, for runs with undertone's experimental
socket.url: a WebSocket server of its own (RFC 6455, nothing shared with undertone) that polls the
simulator for every contact somebody subscribed to and pushes what is new.
"""

import base64
import hashlib
import json
import socket
import struct
import threading
import time
import urllib.parse
import urllib.request

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
HISTORY_MS = 50000  # less than undertone asks for by itself when it picks up a call


class Vendor:
    """The simulator, asked over HTTP."""

    def __init__(self, base_url):
        self.base = base_url
        self.token = None

    def _open(self, path, data=None, headers=None):
        request = urllib.request.Request(self.base + path, data, headers or {})
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def log_in(self):
        form = urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": "demo-client",
            "client_secret": "demo-secret",
        })
        self.token = self._open("/oauth/token", form.encode())["access_token"]

    def transcript(self, contact, since):
        path = "/api/v2/interactions/" + urllib.parse.quote(contact, safe="") + "/transcripts"
        query = f"?direction=both&includeFinal=true&startTime={since}"
        if not self.token:
            self.log_in()
        return self._open(path + query, None, {"Authorization": "Bearer " + self.token,
                                               "Accept": "application/json"})


def message_of(contact, segment):
    """A segment as the socket tells it: its end, and words that say how long it lasted."""
    length = segment["endTime"] - segment["startTime"]
    end = {"seconds": length // 1000, "nanos": length % 1000 * 1000000}
    agent = segment["direction"] == "agent"
    return {
        "Topic": contact + "_transcript", "MessageType": "Transcript", "MediaType": "Voice",
        "Data": {
            "contactId": contact, "participantId": "agent" if agent else "patron",
            "messageBody": segment["text"], "messageIsCompletedUtterance": segment["isFinal"],
            "createdtimestamp": segment["endTime"],
            "words": [{"words": [{"word": "x", "startTime": {"seconds": 0, "nanos": 0},
                                  "endTime": end}]}],
        },
    }


class Connection:
    """One client: reads its frames, pushes what its contacts say, drops it after a while."""

    def __init__(self, bridge, client):
        self.bridge = bridge
        self.client = client
        self.lock = threading.Lock()
        self.contacts = {}  # name: from when on, what was pushed

    def send(self, opcode, payload):
        size = len(payload)
        head = bytes([0x80 | opcode]) + (
            bytes([size]) if size < 126 else struct.pack("!BH", 126, size) if size < 65536
            else struct.pack("!BQ", 127, size))
        with self.lock:
            self.client.sendall(head + payload)

    def tell(self, command, body):
        self.send(TEXT, json.dumps({"command": command, "headers": {}, "body": body}).encode())

    def read(self, count):
        data = b""
        while len(data) < count:
            piece = self.client.recv(count - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return data

    def shake_hands(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.read(1)
        lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        assert fields["Upgrade"] == "websocket" and fields["Sec-WebSocket-Version"] == "13"
        accept = hashlib.sha1((fields["Sec-WebSocket-Key"] + MAGIC).encode()).digest()
        self.client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(accept) + b"\r\n\r\n")

    def read_frame(self):
        first, second = self.read(2)
        assert second & 0x80, "a client's frames are masked"
        size = second & 0x7F
        if size == 126:
            size = struct.unpack("!H", self.read(2))[0]
        elif size == 127:
            size = struct.unpack("!Q", self.read(8))[0]
        mask = self.read(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.read(size)))
        return first & 15, data

    def obey(self, frame):
        assert frame["headers"]["sessionToken"]
        command, topic = frame["command"], frame["body"].get("topic", "")
        contact = topic[: -len("_transcript")]
        if command == "CONNECT":
            self.tell("CONNECTED", {})
            self.send(PING, b"are you there?")
        elif command == "SUBSCRIBE":
            since = int(time.time() * 1000) - HISTORY_MS
            self.contacts.setdefault(contact, (since, set()))
            self.tell("SUBSCRIBED", {"topic": topic})
        elif command == "UNSUBSCRIBE":
            self.contacts.pop(contact, None)
        elif command == "HEARTBEAT":
            self.tell("HEARTBEAT_ACK", {})

    def listen(self):
        try:
            self.shake_hands()
            while True:
                opcode, data = self.read_frame()
                if opcode == TEXT:
                    self.obey(json.loads(data))
                elif opcode == PONG:
                    self.bridge.pongs += data == b"are you there?"
                elif opcode == CLOSE:
                    return
        except (OSError, ConnectionError):
            pass
        finally:
            self.client.close()
            self.bridge.connections.discard(self)

    def push(self):
        for contact, (since, pushed) in list(self.contacts.items()):
            try:
                segments = self.bridge.vendor.transcript(contact, since)
            except OSError:
                continue  # ended, or the simulator is on its way out
            for segment in segments:
                key = (segment["direction"], segment["startTime"], segment["endTime"],
                       segment["text"], segment["isFinal"])
                if key not in pushed:
                    pushed.add(key)
                    self.tell("MESSAGE", message_of(contact, segment))
                    self.bridge.pushed += 1


class Bridge:
    """Listens on a free port and pushes for a time; with drop_s each connection is cut that often.
    """

    def __init__(self, base_url, seconds, drop_s=None):
        self.vendor = Vendor(base_url)
        self.until = time.monotonic() + seconds
        self.drop_s = drop_s
        self.connections = set()
        self.opened = self.pushed = self.pongs = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/notifications/ws"
        threading.Thread(target=self._accept, daemon=True).start()
        threading.Thread(target=self._push, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            connection = Connection(self, client)
            self.connections.add(connection)
            self.opened += 1
            threading.Thread(target=connection.listen, daemon=True).start()
            if self.drop_s:
                threading.Timer(self.drop_s, self._cut, (client,)).start()

    @staticmethod
    def _cut(client):
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _push(self):
        while time.monotonic() < self.until:
            time.sleep(0.3)
            for connection in list(self.connections):
                try:
                    connection.push()
                except OSError:
                    self.connections.discard(connection)
