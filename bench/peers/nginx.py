"""nginx: locations for prefixes and regular expressions, a `map` for exact paths, `sub_filter` for a notice."""

from __future__ import annotations

import grp
import os
import pwd
from typing import assert_never

from bench.ask import MESSAGE
from bench.peers.peer import Peer, Place, said_by
from bench.rules import HOST, Forward, Mappings, Prefixes, Regexes, Rules
from bench.server import Command

FRAME = """
user {user} {group};
pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; daemon off; pcre_jit on;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; types {{ text/html html; }}
  client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {outside}
  server {{
    listen 127.0.0.1:{port}{tls}; server_name {host};
    {inside}
  }}
}}
"""
TLS = " ssl; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3"
MAP = 'map_hash_max_size {size}; map_hash_bucket_size 128; map $uri $new {{ default ""; include {file}; }}'
UPSTREAM = "upstream old {{ server 127.0.0.1:{origin}; keepalive 64; }}"
PROXY = "proxy_pass http://old; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host;"
FILTER = (
    "proxy_set_header Accept-Encoding ''; sub_filter '<body>' '<body><aside>{message}</aside>'; sub_filter_once on;"
)


class Nginx(Peer):
    """One worker below a master."""

    name = "nginx"
    program = "nginx"
    package = "nginx"

    def version(self) -> str:
        """As `nginx -v` has it."""
        return said_by(self.path() or "", "-v").rpartition("/")[2]

    def command(self, rules: Rules, place: Place) -> Command:
        """In the foreground, so that it is ours to end."""
        outside, inside = written(rules, place)
        return self.started(place, outside, inside)

    def serving_files(self, place: Place) -> Command:
        """The old site: it has one page, at every address."""
        return self.started(place, "", f"root {place.folder}; location / {{ try_files /page.html =404; }}")

    def started(self, place: Place, outside: str, inside: str) -> Command:
        """With this in its configuration, outside and inside of the server."""
        certificate = place.certificate
        tls = TLS.format(chain=certificate.chain, key=certificate.key) if certificate else ""
        file = place.folder / "nginx.conf"
        file.write_text(
            FRAME.format(
                user=pwd.getpwuid(os.getuid()).pw_name,  # root's workers would be nobody, who may not see our files
                group=grp.getgrgid(os.getgid()).gr_name,
                folder=place.folder,
                port=place.port,
                host=HOST,
                tls=tls,
                outside=outside,
                inside=inside,
            )
        )
        return Command([self.path() or "", "-p", str(place.folder), "-c", str(file), "-e", f"{place.folder}/error.log"])


def written(rules: Rules, place: Place) -> tuple[str, str]:
    """The rules, as what stands outside of the server and what stands inside."""
    match rules:
        case Prefixes(targets):
            return "", "".join(f"location {old}/ {{ return 301 {new}$request_uri; }}\n" for old, new in targets)
        case Mappings(count):
            file = place.folder / "mappings.map"
            with file.open("w") as lines:
                lines.writelines(f"{old} {new};\n" for old, new in rules.rows())
            outside = MAP.format(size=max(2048, 2 * count), file=file)
            return outside, "location / { if ($new) { return 301 $new$is_args$args; } return 404; }"
        case Regexes():
            rows = rules.rows("$1")
            return "", "".join(f"location ~ {old} {{ return 301 {new}$is_args$args; }}\n" for old, new in rows)
        case Forward(origin, notice):
            filtered = FILTER.format(message=MESSAGE) if notice else ""
            return UPSTREAM.format(origin=origin), f"location / {{ {PROXY} {filtered} }}"
        case _:
            assert_never(rules)
