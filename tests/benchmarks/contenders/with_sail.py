"""Run a call of seqtool with `--remote` and the address of a server of Sail, which runs in this process meanwhile."""

import os
import subprocess
import sys

from pysail.spark import SparkConnectServer

os.environ.setdefault("RUST_LOG", "error")  # else its last words are taken for those of the call
server = SparkConnectServer("127.0.0.1", 0)
server.start(background=True)
_, port = server.listening_address
done = subprocess.run([*sys.argv[1:], "--remote", f"sc://127.0.0.1:{port}"], check=False)
server.stop()
sys.stdout.flush()
os._exit(done.returncode)  # threads of the server may be at work
