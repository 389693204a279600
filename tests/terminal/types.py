"""Runs a command at a terminal and types what is asked for, each line when the terminal shows nothing of it any more.

types.py PROMPT=LINE … -- COMMAND…   prints what the terminal showed."""
import os
import pty
import select
import sys
import termios

split = sys.argv.index("--")
answers = [argument.split("=", 1) for argument in sys.argv[1:split]]
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[split + 1], sys.argv[split + 1 :])
shown = b""
while True:
    readable, _, _ = select.select([terminal], [], [], 0.02)
    if readable:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    hidden = not termios.tcgetattr(terminal)[3] & termios.ECHO
    if answers and hidden and answers[0][0].encode() in shown:
        os.write(terminal, answers.pop(0)[1].encode() + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
