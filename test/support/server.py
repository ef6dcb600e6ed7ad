"""A `gramme serve` of the build under test, in a folder of its own on a free port. The binary is named by the
environment variable GRAMME."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

GRAMME = os.environ.get("GRAMME", "gramme")
START_SECONDS = 60  # sanitizers on a busy machine
STOP_SECONDS = 60

READY = re.compile(r"listens on (https?://[^\s;]+)")
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|WARNING: ThreadSanitizer|runtime error:|Assertion .* failed")


class Server:
    """`with Server() as server:` starts it, and stops it at the end; the folder goes with it."""

    def __init__(self, *options, environment=None, data=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gramme-test-"))
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.buckets = self.folder / "buckets"
        self.buckets.mkdir()
        self.options = list(options)
        self.environment = dict(environment or {})
        self.process = None
        self.url = None
        self.lines = []  # of its log, all starts
        self.port = "0"

    # --- life

    def command(self):
        command = [GRAMME, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        if not any(option.startswith(("--buckets", "--s3-endpoint")) for option in self.options):
            command += ["--buckets", str(self.buckets)]
        return command + self.options

    def launch(self):
        """Starts the process; does not wait until it is ready."""
        self.url = None
        self.changed = threading.Condition()
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors="replace",
                                        env={**os.environ, **self.environment})
        self.reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self.reader.start()

    def start(self):
        self.launch()
        with self.changed:
            self.changed.wait_for(lambda: self.url or self.process.poll() is not None, START_SECONDS)
        if not self.url:
            self.process.kill()
            self.process.wait()
            self.reader.join()
            raise AssertionError("the server did not start:\n" + self.log())
        # A restart listens where clients already look.
        self.port = self.url.rsplit(":", 1)[1]
        return self

    def stop(self):
        """SIGTERM; it must end by itself, with status 0, and no sanitizer may have complained."""
        self.process.send_signal(signal.SIGTERM)
        self.wait()
        if self.process.returncode != 0:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
        self.check_log()

    def wait(self):
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop:\n" + self.log()) from None
        self.reader.join()

    def kill(self):
        """kill -9, and nothing else."""
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def restart(self):
        self.stop()
        return self.start()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def close(self):
        try:
            if self.running():
                self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def __exit__(self, *reason):
        self.close()

    # --- what it says

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip("\n"))
            match = READY.search(line)
            if match:
                with self.changed:
                    self.url = match[1]
                    self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def log(self):
        return "\n".join(self.lines[-200:])

    def check_log(self):
        for line in self.lines:
            if SANITIZER.search(line):
                raise AssertionError("a sanitizer or an assert complained:\n" + self.log())

    # --- what it knows

    def bucket(self, name):
        path = self.buckets / name
        path.mkdir(exist_ok=True)
        return path

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def scratch_files(self):
        """What its jobs sort in; such files have no name."""
        links = []
        for path in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                links.append(os.readlink(path))
        return [link for link in links if link.startswith(f"{self.data}/engine/scratch/")]

    def memory_peak(self):
        """Most bytes it ever had resident."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def gramme(*arguments, environment=None):
    """Runs another command of the binary; answers (status, standard output, standard error)."""
    done = subprocess.run([GRAMME, *map(str, arguments)], capture_output=True, text=True, timeout=START_SECONDS,
                          env={**os.environ, **(environment or {})}, check=False)
    return done.returncode, done.stdout, done.stderr
