"""`/healthz` and `/metrics` over real HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync import wiring
from sync.config import Config, load
from sync.errors import ConfigFault, StateFault
from sync.health import server
from sync.health.bulletin import Bulletin
from sync.health.server import served
from sync.state.figures import read_figures
from tests.health.test_metrics import read


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "zotdrop.toml"
    path.write_text("[state]\nmin_free_mb = 0\n[health]\nlisten = '127.0.0.1:0'\nhosts = ['Library.example.org']\n")
    config = load(path, {})
    wiring.open_ledger(config).close()
    return config


@pytest.fixture
def pulse(config: Config) -> Bulletin:
    return Bulletin(config.state.path, config.inbox, now=lambda: datetime.now(UTC))


@pytest.fixture
def port(config: Config, pulse: Bulletin) -> Iterator[int]:
    with served(config, pulse.state) as address:
        assert address
        yield address[1]


def ask(
    port: int, path: str = "/healthz", method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request(method, path, headers=headers)
        answer = client.getresponse()
        return answer, answer.read()


def raw(port: int, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(text)
        return b"".join(iter(lambda: wire.recv(65_536), b""))


def test_health_is_json_and_its_status_says_it_too(port: int, pulse: Bulletin) -> None:
    pulse.looked("default", [])
    answer, body = ask(port)
    assert (answer.status, json.loads(body)["status"]) == (200, "ok")
    assert answer.headers["Content-Type"] == "application/json"
    pulse.looked("default", None)
    answer, body = ask(port)
    assert (answer.status, json.loads(body)["reasons"]) == (503, ["the folder of inbox default is gone or no folder"])


def test_metrics_are_what_prometheus_reads(port: int) -> None:
    answer, body = ask(port, "/metrics?x=1")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found = read(body.decode())
    assert found["zotdrop_records", (("outcome", "created"),)] == 0
    assert found["zotdrop_ledger_bytes", ()] > 0


def test_nothing_tells_where_the_program_or_its_files_lie(port: int, config: Config, pulse: Bulletin) -> None:
    pulse.looked("default", [Path(config.inbox["default"].path) / "x.ris"])
    for path in ("/healthz", "/metrics", "/nothing", "/../../etc/passwd"):
        answer, body = ask(port, path)
        shown = body.decode() + str(answer.headers)
        assert str(Path(config.state.path).parents[1]) not in shown
        assert "Python" not in shown


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "<script>"])
def test_it_is_for_reading_alone(port: int, method: str) -> None:
    answer = raw(port, f"{method} /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert b" 405 " in answer.splitlines()[0]
    assert b"Allow: GET, HEAD" in answer
    assert method.encode() not in answer.partition(b"\r\n\r\n")[2]


def test_head_is_get_without_a_body(port: int) -> None:
    answer = raw(port, b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b""
    assert b"Content-Length: 0" not in head


@pytest.mark.parametrize("host", ["localhost", "localhost:9464", "127.0.0.1", "[::1]:9464", "library.example.org:1"])
def test_this_machine_may_be_named_by_address_as_localhost_or_as_the_config_says(port: int, host: str) -> None:
    assert ask(port, "/metrics", Host=host)[0].status == 200


@pytest.mark.parametrize(
    "host", ["evil.example.org", "localhost.evil.example.org", "127.0.0.1.evil.org", "", "[", "a:b:c"]
)
def test_a_name_that_somebody_points_at_this_machine_is_refused(port: int, host: str) -> None:
    answer, body = ask(port, "/metrics", Host=host)
    assert answer.status == 403
    assert b"zotdrop_" not in body


def test_a_request_with_two_hosts_or_none_is_refused(port: int) -> None:
    two = raw(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.org\r\n\r\n")
    none = raw(port, b"GET /metrics HTTP/1.0\r\n\r\n")
    assert b" 403 " in two.splitlines()[0]
    assert b" 403 " in none.splitlines()[0]


def test_nonsense_is_answered_and_the_next_one_too(port: int) -> None:
    for text in (
        b"\x00\xff\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b"\r\n\r\n",
    ):
        raw(port, text)
    assert ask(port, "/metrics")[0].status == 200


def test_a_client_that_says_nothing_keeps_nobody_else_and_many_are_sent_away(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server._Handler, "timeout", 0.5)
    idle = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(server.AT_ONCE - 1)]
    assert ask(port, "/metrics")[0].status == 200
    for wire in idle:
        assert wire.recv(1) == b"", "it is sent away after its time"
        wire.close()


def test_a_writer_neither_waits_nor_is_waited_for(port: int, config: Config) -> None:
    with closing(sqlite3.connect(config.state.path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO runs (id, kind, started) VALUES ('x', 'sync', '')")
        writer.execute("INSERT INTO libraries (identity) VALUES ('embedded:1')")
        assert ask(port, "/metrics")[0].status == 200
        assert ask(port)[0].status == 200
        writer.execute("COMMIT")


def test_a_reader_in_the_middle_keeps_no_writer_waiting(config: Config) -> None:
    path = Path(config.state.path)
    with closing(server_connection(path)) as reader, closing(wiring.open_ledger(config)) as ledger:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM records").fetchone()
        ledger.database.connection.execute("PRAGMA busy_timeout = 0")
        ledger.start_run("x", "sync", "2026-11-27T08:00:00Z")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM runs")


def server_connection(path: Path) -> sqlite3.Connection:
    from sync.state import figures

    return figures._connected(path)


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_it_listens_at_an_address_of_version_6_too(config: Config, pulse: Bulletin) -> None:
    health = config.health.model_copy(update={"listen": "[::1]:0"})
    with served(config.model_copy(update={"health": health}), pulse.state) as address:
        assert address
        with closing(http.client.HTTPConnection("::1", address[1], timeout=20)) as client:
            client.request("GET", "/metrics")
            assert client.getresponse().status == 200


def test_numbers_of_a_ledger_that_is_missing_or_of_another_version_are_a_fault(tmp_path: Path, config: Config) -> None:
    with pytest.raises(StateFault):
        read_figures(tmp_path / "missing.sqlite")
    assert not (tmp_path / "missing.sqlite").exists()
    with closing(sqlite3.connect(config.state.path)) as raw_ledger:
        raw_ledger.execute("PRAGMA user_version = 99")
    with pytest.raises(StateFault, match="version"):
        read_figures(Path(config.state.path))


def test_off_is_off_and_a_place_that_is_taken_is_told(
    config: Config, port: int, pulse: Bulletin, tmp_path: Path
) -> None:
    def listening(where: str) -> Any:
        path = tmp_path / "other.toml"
        path.write_text(f"[state]\npath = '{config.state.path}'\n[health]\nlisten = '{where}'\n")
        return served(load(path, {}), pulse.state)

    with listening("") as address:
        assert address is None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigFault, match="nobody can listen"), listening(f"127.0.0.1:{taken.getsockname()[1]}"):
            pass
    assert port
