"""What the benchmarks share: an nginx, requests, wrk, a place in docs/.

Environment:
  CARDFEED_NGINX   the binary (default: nginx, also in /usr/sbin)
  CARDFEED_MODULE  the module (default: build/ngx_http_cardfeed_module.so)
"""

import gzip
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "bench")
MODULE = os.path.abspath(os.environ.get("CARDFEED_MODULE") or os.path.join(
    ROOT, "build", "ngx_http_cardfeed_module.so"))

CONF = """\
load_module "{module}";
{main}
{user}
worker_processes 1;
daemon off;
pid "{dir}/nginx.pid";
error_log "{dir}/error.log" notice;

events {{
    worker_connections 512;
}}

http {{
    access_log off;
    client_body_temp_path "{dir}/tmp/body";
    proxy_temp_path "{dir}/tmp/proxy";
    fastcgi_temp_path "{dir}/tmp/fastcgi";
    uwsgi_temp_path "{dir}/tmp/uwsgi";
    scgi_temp_path "{dir}/tmp/scgi";

    keepalive_requests 1000000000;
    keepalive_timeout 1h;

    cardfeed_index_path "{dir}/index";
    cardfeed_base_url http://feeds.example.org;
    {http}

    server {{
        listen 127.0.0.1:{port};
        location = /pid {{ return 200 $pid; }}
        {server}
    }}
}}
"""

# What nginx makes by itself, in the control's responses too.
NGINX_HEADERS = ("server", "date", "content-length", "connection",
                 "transfer-encoding")


class Failure(Exception):
    pass


def wait_for(condition, what, seconds=60, pause=0.01):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("waited in vain: " + what)
        time.sleep(pause)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# --- nginx ------------------------------------------------------------------

class Nginx:
    """A running nginx with one worker, ready when entered."""

    def __init__(self, directory, port, main="", http="", server=""):
        self.port = port
        self.log = os.path.join(directory, "error.log")
        os.makedirs(os.path.join(directory, "tmp"), exist_ok=True)
        conf = os.path.join(directory, "nginx.conf")
        with open(conf, "w") as file:
            file.write(CONF.format(
                module=MODULE, dir=directory, port=port,
                user="user root;" if os.geteuid() == 0 else "",
                main=main, http=http, server=server))
        binary = os.environ.get("CARDFEED_NGINX") or shutil.which(
            "nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not binary:
            raise Failure('no nginx; "make deps" installs it')
        # In a session of its own: Ctrl-C is for us to answer.
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "-e", self.log, "-p", directory, "-c", conf],
            start_new_session=True)

    def __enter__(self):
        try:
            self.wait()
            self.worker = int(self.get("/pid").body)
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        wait_for(self.ready, "the index is ready")

    def ready(self):
        """With Last-Modified: nothing has changed in this second."""
        response = self.try_get("/feeds/all.rss")
        return (response and response.status == 200
                and response.header("Last-Modified"))

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def get(self, path, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=30)
        try:
            connection.request("GET", path, headers=dict(headers))
            return Response(connection.getresponse())
        finally:
            connection.close()

    def try_get(self, path):
        """None where nginx does not listen yet."""
        if self.process.poll() is not None:
            raise Failure("nginx does not start")
        try:
            return self.get(path)
        except OSError:
            return None

    def cpu(self):
        """Nanoseconds of the worker, all threads: clock_getcpuclockid(3)."""
        return time.clock_gettime_ns(~self.worker << 3 | 2)


def check_log(name):
    with open(name) as file:
        if re.search(r"\[(alert|emerg|crit)\]|exited on signal", file.read()):
            raise Failure("nginx's log is not clean")


class Response:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.getheaders()
        self.body = response.read()

    def header(self, name):
        return next((value for key, value in self.headers
                     if key.lower() == name.lower()), None)

    def encoding(self):
        return self.header("Content-Encoding") or "identity"

    def text(self):
        return (gzip.decompress(self.body) if self.encoding() == "gzip"
                else self.body)

    def differences(self, other):
        """Apart from Date: names of headers, or what else."""
        mine, others = ([(key, value) for key, value in r.headers
                         if key != "Date"] for r in (self, other))
        names = [key for key, _ in set(mine) ^ set(others)]
        if not names and mine != others:
            names.append("order of headers")
        if self.status != other.status:
            names.append("status")
        if self.body != other.body:
            names.append("body")
        return names

    def save(self, name):
        """As the control module reads it."""
        with open(name, "wb") as file:
            for key, value in self.headers:
                if key.lower() not in NGINX_HEADERS:
                    file.write(f"{key}: {value}\r\n".encode("latin-1"))
            file.write(b"\r\n" + self.body)


# --- wrk ---------------------------------------------------------------------

def interrupted(command, seconds):
    """What wrk says, after less than its least duration of a second.

    None if SIGINT came before wrk was ready for it; again, lest it came
    between that and the wait it ends.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as wrk:
        try:
            time.sleep(seconds)
            while True:
                wrk.send_signal(signal.SIGINT)
                try:
                    output = wrk.communicate(timeout=2)[0]
                    return None if wrk.returncode < 0 else output
                except subprocess.TimeoutExpired:
                    pass
        except BaseException:
            wrk.kill()
            raise


# --- results ----------------------------------------------------------------

def conditions():
    """What the figures were made on."""
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "module": os.environ.get("CARDFEED_MODULE") or "commit "
                  + subprocess.run(
                      ["git", "-C", ROOT, "describe", "--always", "--dirty"],
                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                      text=True).stdout.strip(),
        "processor": cpu.group(1) if cpu else os.uname().machine,
        "cpus": os.cpu_count(),
    }


def save(name, results):
    """As JSON, into build/bench/."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, name + ".json"), "w") as file:
        json.dump(results, file, indent=1)
        file.write("\n")


def write(name, text):
    """Into docs/performance.md, between its marks."""
    path = os.path.join(ROOT, "docs", "performance.md")
    with open(path) as file:
        page = file.read()
    begin, end = f"<!-- bench: {name} -->", "<!-- /bench -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise Failure(f"{path}: no place for the table")
    with open(path, "w") as file:
        file.write(f"{before}{begin}\n{text}{end}{after}")


def main(run, name, parent=None):
    """run(directory) returns the text that --write puts into docs/."""
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: sys.exit(1))

    with tempfile.TemporaryDirectory(prefix="cardfeed-bench-",
                                     dir=parent) as directory:
        try:
            text = run(directory)
        except Failure as failure:
            log = os.path.join(directory, "error.log")
            if os.path.exists(log):
                sys.stderr.write(open(log).read()[-2000:])
            sys.exit(f"bench: {failure}")
        except KeyboardInterrupt:
            sys.exit("bench: stopped")
    print(text, end="")
    if "--write" in sys.argv[1:]:
        write(name, text)
