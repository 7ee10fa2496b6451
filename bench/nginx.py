"""What the benchmarks share: an nginx, requests, wrk, results.

Environment:
  CARDFEED_NGINX   the binary (default: nginx, also in /usr/sbin)
  CARDFEED_MODULE  the module (default: build/ngx_http_cardfeed_module.so)
"""

import contextlib
import glob
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
FORMAT = 1                      # of saved results

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


def say(text):
    print(f"bench: {text}", file=sys.stderr)


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
            self.process.wait(120)
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

def commit():
    """What is measured; docs/ may change while it is."""
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words],
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL).stdout.strip()

    module = os.environ.get("CARDFEED_MODULE")
    if module:
        return os.path.basename(module)
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".",
                  ":(exclude)docs")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (
        "-dirty" if changed else "")


def conditions():
    """What the figures were made on."""
    with open("/proc/cpuinfo") as file:
        cpu = re.search(r"model name\s*: (.*)", file.read())
    return {
        "format": FORMAT,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": commit(),
        "processor": cpu.group(1) if cpu else os.uname().machine,
        "cpus": os.cpu_count(),
    }


def replace(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def save(name, results):
    """As JSON, into build/bench/."""
    replace(os.path.join(BUILD, name + ".json"),
            json.dumps(results, indent=1) + "\n")


def load(pattern):
    """All that was saved below such names, and can be read."""
    results = []
    for name in sorted(glob.glob(os.path.join(BUILD, pattern + ".json"))):
        with open(name, encoding="utf-8") as file:
            result = json.load(file)
        if result.get("format") == FORMAT:
            results.append(result)
        else:
            say(f"{name} is of another make of this, and left out")
    return results


@contextlib.contextmanager
def workplace(parent=None):
    """A directory; when it fails nginx's log in it is shown."""
    with tempfile.TemporaryDirectory(prefix="cardfeed-bench-",
                                     dir=parent) as directory:
        try:
            yield directory
        except Failure:
            show_log(directory)
            raise


def show_log(directory):
    log = os.path.join(directory, "error.log")
    if os.path.exists(log):
        with open(log, encoding="utf-8", errors="replace") as file:
            sys.stderr.write(file.read()[-2000:])
