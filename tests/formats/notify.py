"""notify.py LORENZ SCENARIO: what --notify posts, and that it changes no verdict; TAP."""
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading

LORENZ, SCENARIO = sys.argv[1:3]
results = []
requests = []
answers = []


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted, and answers what the test wants; 200 when it wants nothing."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        requests.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(answers.pop(0) if answers else 200)
        self.end_headers()

    def log_message(self, *args):
        pass


def check(name, problem=None):
    results.append(not problem)
    print(f"{'not ok' if problem else 'ok'} {len(results)} - {name}")
    if problem:
        print("# " + str(problem))


def run(url, *args, **more):
    requests.clear()
    done = subprocess.run([LORENZ, *args, "-q", "--keep", "none", "--notify", url, SCENARIO],
                          capture_output=True, text=True, env={**os.environ, **more})
    return done.returncode, done.stderr


def over_tls():
    """A server whose certificate nobody signed: not trusted, unless the user says so."""
    names = ["a certificate that nobody signed is refused, and changes nothing",
             "who names their own certificates is notified"]
    if shutil.which("openssl") is None:
        for name in names:
            check(name + " # SKIP no openssl to make a certificate with")
        return
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem",
                    "-out", "own.pem", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("own.pem", "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}/hook"
    status, err = run(url, "run")
    ok = status == 1 and not requests and "certificate" in err and "SSL_CERT_FILE" in err
    check(names[0], None if ok else (status, err, requests))
    status, err = run(url, "run", SSL_CERT_FILE="own.pem")
    check(names[1], None if status == 1 and len(requests) == 1 and not err else (status, err))
    server.shutdown()
    server.server_close()


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"

    status, _ = run(base + "/hook", "run")
    path, kind, body = requests[0]
    want = {"schema": "lorenz.notice/1", "command": "run", "verdict": "fail", "exit_code": 1}
    wrong = {k: body.get(k) for k in want if body.get(k) != want[k]}
    check("the verdict is posted as JSON",
          wrong or (None if (status, path, kind) == (1, "/hook", "application/json") else requests))

    status, _ = run("slack:" + base, "run")
    text = requests[0][2].get("text", "")
    check("Slack gets a text", None if status == 1 and "*fail*" in text else requests)

    status, _ = run("alertmanager:" + base, "run")
    path, _, body = requests[0]
    ok = path == "/api/v2/alerts" and body[0]["labels"]["alertname"] == "LorenzVerdict"
    check("Alertmanager gets an alert that does not end", None if ok and "endsAt" not in body[0]
          else requests)

    status, _ = run("alertmanager:" + base, "run", "--report-only")
    check("an alert of a good run is resolved", None if "endsAt" in requests[0][2][0] else requests)

    status, _ = run(base, "sweep", "--seeds", "2")
    check("a sweep is told too", None if requests[0][2]["summary"].startswith("2 of 2 runs")
          else requests)

    answers[:] = [503, 503]
    status, err = run(base, "run")
    check("a server in trouble is asked again", None if len(requests) == 3 and not err else err)

    answers[:] = [404]
    status, err = run(base, "run")
    ok = len(requests) == 1 and status == 1 and "it answered 404" in err
    check("a refusal is said, and changes nothing", None if ok else (status, err))

    over_tls()
    server.shutdown()
    server.server_close()
    status, err = run(base, "run")
    ok = status == 1 and "nobody was notified" in err
    check("nobody there is said, and changes nothing", None if ok else (status, err))
    print(f"1..{len(results)}")
    sys.exit(0 if all(results) else 1)


with tempfile.TemporaryDirectory() as folder: # a sweep leaves seeds beside the scenario
    LORENZ = os.path.abspath(LORENZ)
    SCENARIO = shutil.copy(SCENARIO, folder)
    os.chdir(folder)
    main()
    os.chdir("/")
