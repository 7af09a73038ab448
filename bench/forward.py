"""What a forwarded page costs: `python bench/forward.py [--rounds N] [--seconds N]`.

A page of 20 KB behind nginx as the origin, fetched through Sunset with and without the notice, through nginx with
`sub_filter` and through Caddy's `reverse_proxy`, and redirects by Sunset beside them. Needs the Debian packages nginx,
caddy and wrk, and two cores: servers on the first, load and origin on the second.

Rates on a shared machine say little, so what is compared is the CPU time (user and system, /proc/PID/stat) that a
server takes for a request, with the candidates in turn and the median over the rounds.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, LOAD_CORE = "0", "1"
ORIGIN, NGINX, CADDY, SUNSET = 9101, 9102, 9103, 9104
PARAGRAPH = "<p>Some text of an old page, with <a href='/x'>a link</a> and <em>a word</em> in it.</p>\n"
PAGE = "<!doctype html><html><head><title>Old</title></head><body>\n" + PARAGRAPH * 235 + "</body></html>\n"
BANNER = "<aside>This site closes on 31 December 2024.</aside>"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
SCRIPT = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/%s/" .. n %% 5000 .. ".html?c=" .. n, {
    ["Host"] = "%s", ["User-Agent"] = "AGENT " .. n %% 97, ["Accept"] = "text/html,application/xhtml+xml,*/*;q=0.8",
    ["Accept-Language"] = "en-GB,en;q=0.5", ["Accept-Encoding"] = "gzip, deflate, br",
    ["Sec-Fetch-Dest"] = "document", ["Sec-Fetch-Mode"] = "navigate", ["Sec-Fetch-Site"] = "none",
  })
end
""".replace("AGENT", AGENT)
RULES = {
    "rulebook.yaml": "defaults: {timezone: UTC, schedule: {notice: 2024-10-09, cutover: 2024-12-31}}\n"
    "targets: [new.example]\n",
    **{
        f"{name}.yaml": f"site: {name}\norigin: http://127.0.0.1:{ORIGIN}\nmoves_to: https://new.example\n{more}"
        f"hosts: [{name}.example]\n"
        for name, more in {
            "plain": "",
            "noticed": "notice: {message: 'This site closes on {cutover}.', link: More, dismissible: true}\n",
            "moved": "schedule: {notice: 2020-01-01, cutover: 2020-01-02}\n",
        }.items()
    },
}


@dataclass(frozen=True)
class Candidate:
    """Something to measure: a port, the Host to ask with, and the process whose time counts."""

    name: str
    port: int
    host: str
    pid: int


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    missing = [tool for tool in ("nginx", "caddy", "wrk", "taskset") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"needs {', '.join(missing)}: apt-get install nginx caddy wrk util-linux")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        candidates = start(stack, folder)
        figures: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
        for _ in range(options.rounds):
            for candidate in candidates:
                figures[candidate.name].append(measure(candidate, folder, options.seconds))
    for name, microseconds in figures.items():
        spread = f"{min(microseconds):.0f} to {max(microseconds):.0f}"
        print(f"{name:<42} {statistics.median(microseconds):6.1f} µs/request   ({spread})")


def start(stack: ExitStack, folder: Path) -> list[Candidate]:
    """Starts every server."""
    folder.chmod(0o755)  # nginx's workers are nobody
    (folder / "page.html").write_text(PAGE)
    origin = f"server {{ listen 127.0.0.1:{ORIGIN}; root {folder}; location / {{ try_files /page.html =404; }} }}"
    run_nginx(stack, folder / "origin", LOAD_CORE, origin)
    filtered = (
        f"upstream old {{ server 127.0.0.1:{ORIGIN}; keepalive 64; }} server {{ listen 127.0.0.1:{NGINX}; location / {{"
        " proxy_pass http://old; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host;"
        f" proxy_set_header Accept-Encoding ''; sub_filter '<body>' '<body>{BANNER}'; sub_filter_once on; }} }}"
    )
    nginx = run_nginx(stack, folder / "nginx", SERVER_CORE, filtered)
    (folder / "Caddyfile").write_text(
        "{\n admin off\n auto_https off\n}\n"
        f"http://127.0.0.1:{CADDY}, http://plain.example:{CADDY} {{\n bind 127.0.0.1\n"
        f" reverse_proxy 127.0.0.1:{ORIGIN}\n}}\n"
    )
    caddy = run(stack, SERVER_CORE, CADDY, "caddy", "run", "--config", str(folder / "Caddyfile"))
    rules = folder / "rules"
    rules.mkdir()
    for name, text in RULES.items():
        (rules / name).write_text(text)
    sunset = run(
        stack, SERVER_CORE, SUNSET, sys.executable, "-m", "proxy", "serve", "--rules", str(rules),
        "--listen", f"127.0.0.1:{SUNSET}", "--admin", "127.0.0.1:9105", "--at", "2024-12-01",
    )  # fmt: skip
    return [
        Candidate("nginx, proxy_pass with sub_filter", NGINX, "plain.example", nginx),
        Candidate("Caddy, reverse_proxy", CADDY, "plain.example", caddy),
        Candidate("Sunset, forward", SUNSET, "plain.example", sunset),
        Candidate("Sunset, forward with the notice", SUNSET, "noticed.example", sunset),
        Candidate("Sunset, redirect", SUNSET, "moved.example", sunset),
    ]


def run_nginx(stack: ExitStack, folder: Path, core: str, server: str) -> int:
    """A server of one worker; gives the worker's process."""
    folder.mkdir()
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; daemon off;"
        " events { worker_connections 4096; } http { types { text/html html; } access_log off; "
        f"keepalive_requests 1000000; client_body_temp_path {folder}; proxy_temp_path {folder};"
        f" fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder}; {server} }}"
    )
    port = int(re.search(r"listen 127\.0\.0\.1:(\d+)", server)[1])  # type: ignore[index]
    master = run(stack, core, port, "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    return int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])


def run(stack: ExitStack, core: str, port: int, *command: str) -> int:
    """Starts a process on a core, waits until it listens, and ends it with the stack."""
    process = subprocess.Popen(["taskset", "-c", core, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process.pid
        time.sleep(0.05)
    raise SystemExit(f"{command[0]} does not listen on port {port}")


def measure(candidate: Candidate, folder: Path, seconds: int) -> float:
    """Microseconds of CPU time a request."""
    script = folder / "load.lua"
    script.write_text(SCRIPT % ("shop", candidate.host))
    before = cpu_seconds(candidate.pid)
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t1", "-c32", f"-d{seconds}s", "-s", str(script),
         f"http://127.0.0.1:{candidate.port}/"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    spent = cpu_seconds(candidate.pid) - before
    requests = int(re.search(r"(\d+) requests in", done.stdout)[1])  # type: ignore[index]
    if "Socket errors" in done.stdout or "Non-2xx" in done.stdout:
        sys.exit(f"{candidate.name} does not answer as it should:\n{done.stdout}")
    return spent / requests * 1e6


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
