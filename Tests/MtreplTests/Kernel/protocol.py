"""What jupyter_kernel_test does not look at: signatures, malformed messages, interrupts, updates, streams, the end."""
import base64
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from queue import Empty

import jupyter_client
import nbclient
import nbformat
import zmq
from jupyter_client.manager import start_new_kernel

KERNEL = "mtrepl"
LONG = 120  # seconds: only ends a test that hangs
KERNEL_SPECIFICATION = jupyter_client.kernelspec.get_kernel_spec(KERNEL)


class Case(unittest.TestCase):
    def setUp(self):
        self.manager, self.client = start_new_kernel(kernel_name=KERNEL)

    def tearDown(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run_cell(self, code, timeout=LONG, **options):
        """The reply and the messages of a cell."""
        request = self.client.execute(code, **options)
        return self.outcome(request, timeout)

    def outcome(self, request, timeout=LONG):
        messages = []
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    break
                continue
            messages.append(message)
        while True:
            reply = self.client.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == request:
                return reply["content"], messages

    def eventually(self, condition):
        """Waits until something holds."""
        deadline = time.monotonic() + LONG
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def result(self, code):
        _, messages = self.run_cell(code)
        return [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"]

    def wait_for_stream(self, text, timeout=LONG):
        seen = ""
        while text not in seen:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["msg_type"] == "stream":
                seen += message["content"]["text"]


class Interrupts(Case):
    LOOPS = {
        "commands": 'print("going") for i = 1, 20 do os.execute("sleep 3") end',
        "a Lua loop": 'print("going") while true do end',
        "a coroutine": 'coroutine.wrap(function() print("going") while true do end end)()',
        "training": 'local r = mt.recipe { model = mt.neox("micro-0.4m", { tokenizer = tok, context = 64 }), steps = 20000,'
        ' batch = 4, repeats = true, mixture = { web = 1 } } :open() print("going") r:train()',
    }

    def prepare(self):
        reply, messages = self.run_cell(
            'web = mt.corpus { "web", embedded = "prose", bytes = 120000 }\n'
            "tok = mt.tokenizer { train_on = web, vocabulary = 512 }")
        self.assertEqual(reply["status"], "ok", reply)

    def check(self, interrupt):
        self.prepare()
        for name, code in self.LOOPS.items():
            with self.subTest(name):
                request = self.client.execute(code)
                self.wait_for_stream("going")
                interrupt()
                reply, messages = self.outcome(request)
                self.assertEqual(reply["status"], "error")
                self.assertEqual(reply["ename"], "Interrupted")
                self.assertEqual(self.result("6 * 7"), ["42"])

    def test_by_message(self):
        self.check(self.manager.interrupt_kernel)

    def test_by_signal(self):
        self.check(lambda: self.manager.signal_kernel(signal.SIGINT))

    def test_many_signals_do_not_end_the_kernel(self):
        request = self.client.execute('print("going") while true do pcall(function() while true do end end) end')
        self.wait_for_stream("going")
        for _ in range(5):
            self.manager.signal_kernel(signal.SIGINT)
            time.sleep(0.05)
        self.assertTrue(self.manager.is_alive())
        self.manager.interrupt_kernel()

    def test_control_is_answered_meanwhile(self):
        request = self.client.execute('print("going") while true do end')
        self.wait_for_stream("going")
        message = self.client.session.msg("kernel_info_request", {})
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=LONG)
        self.assertEqual(reply["msg_type"], "kernel_info_reply")
        self.eventually(self.client.hb_channel.is_beating)
        self.manager.interrupt_kernel()
        self.outcome(request)

    def test_idle_interrupt_is_forgotten(self):
        self.manager.signal_kernel(signal.SIGINT)
        self.assertEqual(self.result("6 * 7"), ["42"])


class Cells(Case):
    def test_streams_come_as_they_happen(self):
        # The command ends when the first line has come here: if that came with the rest, it would wait for ever.
        go = os.path.abspath("go-on")
        request = self.client.execute(
            'print("first") os.execute("while [ ! -e %s ]; do sleep 0.02; done; echo child; echo problem >&2") '
            'print("last")' % go)
        self.wait_for_stream("first")
        open(go, "w").close()
        reply, messages = self.outcome(request)
        out = "".join(m["content"]["text"] for m in messages if m["content"].get("name") == "stdout")
        err = "".join(m["content"]["text"] for m in messages if m["content"].get("name") == "stderr")
        self.assertIn("child\n", out)
        self.assertIn("last\n", out)
        self.assertEqual(err, "problem\n")

    def test_much_output_arrives_whole(self):
        reply, messages = self.run_cell("for i = 1, 100000 do print(i) end", timeout=LONG)
        text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
        self.assertEqual(text, "".join(f"{i}\n" for i in range(1, 100001)))

    def test_display_is_updated_in_place(self):
        _, messages = self.run_cell('for i = 1, 3 do mt.display { "state " .. i, id = "x" } end')
        kinds = [m["msg_type"] for m in messages if "display" in m["msg_type"]]
        self.assertEqual(kinds, ["display_data", "update_display_data", "update_display_data"])
        self.assertEqual({m["content"]["transient"]["display_id"] for m in messages if "display" in m["msg_type"]}, {"x"})

    def test_counts_and_silence(self):
        first, _ = self.run_cell("a = 1")
        quiet, messages = self.run_cell("a", silent=True)
        self.assertFalse([m for m in messages if m["msg_type"] in ("execute_result", "execute_input")])
        unkept, _ = self.run_cell("a", store_history=False)
        second, _ = self.run_cell("a", user_expressions={"good": "a + 1", "table": "{ 1, b = 2 }", "bad": "nothing.there"})
        self.assertEqual(second["execution_count"], first["execution_count"] + 1)
        self.assertEqual(second["user_expressions"]["good"]["data"]["text/plain"], "2")
        self.assertEqual(second["user_expressions"]["table"]["data"]["text/plain"], "{ 1, b = 2 }")
        self.assertEqual(second["user_expressions"]["bad"]["status"], "error")

    def test_an_error_gives_up_what_waits(self):
        bad = self.client.execute('os.execute("sleep 0.5") error("no")')
        dropped = self.client.execute("1")
        replies = {}
        while len(replies) < 2:
            reply = self.client.get_shell_msg(timeout=LONG)
            replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        self.assertEqual(replies, {bad: "error", dropped: "aborted"})
        self.assertEqual(self.result("6 * 7"), ["42"])
        bad = self.client.execute('os.execute("sleep 0.5") error("no")', stop_on_error=False)
        kept = self.client.execute("1")
        self.assertEqual(self.outcome(kept)[0]["status"], "ok")

    def test_what_follows_the_reply_of_an_error_is_run(self):
        for _ in range(100):
            bad = self.client.execute('error("no")')
            while self.client.get_shell_msg(timeout=LONG)["parent_header"]["msg_id"] != bad:
                pass
            good = self.client.execute("1")
            reply = self.client.get_shell_msg(timeout=LONG)
            self.assertEqual((reply["parent_header"]["msg_id"], reply["content"]["status"]), (good, "ok"))

    def test_positions_are_code_points(self):
        code = 'local 𝔘 = "𝔘" print(string.fo) -- 𝔘'
        cursor = code.index(")")
        request = self.client.complete(code, cursor)
        reply = self.client.get_shell_msg(timeout=LONG)["content"]
        self.assertEqual(reply["matches"], ["format"])
        self.assertEqual(code[reply["cursor_start"]:reply["cursor_end"]], "fo")
        for cursor in (-5, 0, 10**12):
            self.client.complete(code, cursor)
            self.assertEqual(self.client.get_shell_msg(timeout=LONG)["content"]["status"], "ok")

    def test_inspection_inside_a_call(self):
        code = "mt.corpus { 'web', "
        self.client.inspect(code, len(code))
        reply = self.client.get_shell_msg(timeout=LONG)["content"]
        self.assertTrue(reply["found"])
        self.assertIn("corpus", reply["data"]["text/plain"])

    def test_input_is_asked_of_the_client(self):
        request = self.client.execute('io.write("name? ") local name = io.read() print("hello " .. name)', allow_stdin=True)
        question = self.client.get_stdin_msg(timeout=LONG)
        self.assertEqual(question["msg_type"], "input_request")
        self.assertEqual(question["parent_header"]["msg_id"], request)
        self.client.input("Ada Λ")
        reply, messages = self.outcome(request)
        self.assertEqual(reply["status"], "ok")
        text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
        self.assertEqual(text, "name? hello Ada Λ\n")

    def test_waiting_for_input_can_be_interrupted(self):
        request = self.client.execute("io.read()", allow_stdin=True)
        self.client.get_stdin_msg(timeout=LONG)
        self.manager.interrupt_kernel()
        reply, _ = self.outcome(request)
        self.assertEqual((reply["status"], reply["ename"]), ("error", "Interrupted"))
        self.assertEqual(self.result("1 + 1"), ["2"])

    def test_input_where_nobody_can_be_asked(self):
        reply, messages = self.run_cell("print(io.read())", allow_stdin=False)
        self.assertEqual(reply["status"], "ok")
        streams = {m["content"]["name"]: m["content"]["text"] for m in messages if m["msg_type"] == "stream"}
        self.assertEqual(streams["stdout"], "nil\n")
        self.assertIn("nobody to ask", streams["stderr"])

    def test_a_comm_is_closed_again(self):
        message = self.client.session.msg("comm_open", {"comm_id": "c", "target_name": "t", "data": {}})
        self.client.shell_channel.send(message)
        while True:
            answer = self.client.get_iopub_msg(timeout=LONG)
            if answer["msg_type"] == "comm_close":
                break
        self.assertEqual(answer["content"]["comm_id"], "c")

    def test_a_notebook_runs(self):
        notebook = nbformat.v4.new_notebook(cells=[
            nbformat.v4.new_code_cell('x = { { a = 1, b = "<" } , { a = 2, b = "ü" } }; print("ok")'),
            nbformat.v4.new_code_cell("x"),
            nbformat.v4.new_code_cell('mt.display { "p", svg = "<svg/>" }'),
        ])
        done = nbclient.NotebookClient(notebook, kernel_name=KERNEL, timeout=LONG).execute()
        nbformat.validate(done)
        self.assertEqual(done.cells[0].outputs[0].text, "ok\n")
        self.assertIn("&lt;", done.cells[1].outputs[0].data["text/html"])
        self.assertIn("image/svg+xml", done.cells[2].outputs[0].data)
        self.assertEqual(done.metadata["language_info"]["mtrepl"], {"seed": 0, "strict": True, "width": 100})

    def test_figures_have_their_size(self):
        _, messages = self.run_cell("mt.plot.line { { name = 'a', x = { 1, 2 }, y = { 1, 2 } } }")
        content = next(m["content"] for m in messages if "image/png" in m["content"].get("data", {}))
        width, height = struct.unpack(">II", base64.b64decode(content["data"]["image/png"])[16:24])
        size = content["metadata"]["image/png"]
        self.assertEqual((2 * size["width"], 2 * size["height"]), (width, height))

    def test_os_exit_ends_the_kernel(self):
        self.client.execute("os.exit(3)")
        self.assertEqual(self.client.get_shell_msg(timeout=LONG)["content"]["status"], "ok")
        self.eventually(lambda: not self.manager.is_alive())

    def test_shutdown_while_a_cell_runs(self):
        self.client.execute('print("going") while true do pcall(function() while true do end end) end')
        self.wait_for_stream("going")
        self.manager.shutdown_wait_time = LONG
        process = self.manager.provisioner.process
        self.manager.shutdown_kernel(now=False)
        self.assertFalse(self.manager.is_alive())
        self.assertGreaterEqual(process.returncode, 0, "it had to be killed")

    def test_restart(self):
        self.run_cell("kept = 1")
        self.manager.restart_kernel(now=False)
        self.client.wait_for_ready(timeout=LONG)
        self.assertEqual(self.result("rawget(_G, 'kept') == nil"), ["true"])


class Ends(Case):
    """What ends the process of a kernel besides its clients."""

    def ended(self, number):
        process = self.manager.provisioner.process
        process.send_signal(number)
        return process.wait(timeout=60)

    def test_signals_end_an_idle_kernel(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            with self.subTest(number):
                self.assertEqual(self.ended(number), 128 + number)
                self.tearDown()
                self.setUp()

    def test_signals_end_a_cell(self):
        self.client.execute('print("going") while true do pcall(function() while true do end end) end')
        self.wait_for_stream("going")
        self.assertEqual(self.ended(signal.SIGTERM), 128 + signal.SIGTERM)

    def test_output_of_commands_keeps_its_characters(self):
        _, messages = self.run_cell("""os.execute([[printf 'x'; i=0; while [ $i -lt 2000 ]; do
            printf 'äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü'; i=$((i+1)); done]])""")
        text = "".join(m["content"]["text"] for m in messages if m["msg_type"] == "stream")
        self.assertEqual(text, "x" + "äöü" * 48000)


ORPHAN = """
import ctypes, json, os, subprocess, sys
folder, wrapper = sys.argv[1], sys.argv[2]
read, write = os.pipe()
pid = os.fork()
if pid == 0:  # the client: starts the kernel, itself or through a shell, and ends
    environment = dict(os.environ, JPY_PARENT_PID=str(os.getpid()), MTREPL_KERNEL_HISTORY="")
    command = json.load(open(folder + "/command"))
    if wrapper == "shell":
        command = ["/bin/sh", "-c", '"$@"; exit', "sh"] + command
    process = subprocess.Popen(command, env=environment, start_new_session=True, close_fds=False, pass_fds=(write,),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.read(int(sys.argv[3]), 1)
    os._exit(0)
os.close(write)
os.waitpid(pid, 0)
print("client ended", flush=True)
os.read(read, 1)  # its end: every process that holds the other one has ended
print("kernel ended", flush=True)
"""


class Orphans(unittest.TestCase):
    def check(self, reaper, wrapper, at_once):
        with tempfile.TemporaryDirectory() as folder:
            jupyter_client.connect.write_connection_file(folder + "/connection.json", key=b"key")
            with open(KERNEL_SPECIFICATION.resource_dir + "/kernel.json") as file:
                command = json.load(file)["argv"]
            command = [folder + "/connection.json" if word == "{connection_file}" else word for word in command]
            with open(folder + "/command", "w") as file:
                json.dump(command, file)
            gate, opened = os.pipe()
            code = ("import ctypes; ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n" if reaper else "") + ORPHAN
            parent = subprocess.Popen([sys.executable, "-c", code, folder, wrapper, str(gate)], pass_fds=(gate,),
                                      stdout=subprocess.PIPE, text=True)
            try:
                if not at_once:
                    client = jupyter_client.BlockingKernelClient(connection_file=folder + "/connection.json")
                    client.load_connection_file()
                    client.start_channels()
                    client.wait_for_ready(timeout=60)
                    client.stop_channels()
                os.write(opened, b"x")
                self.assertEqual(parent.communicate(timeout=60)[0], "client ended\nkernel ended\n")
            finally:
                parent.kill()
                os.close(gate)
                os.close(opened)

    def test_a_kernel_ends_with_its_client(self):
        for reaper in (False, True):
            for wrapper in ("none", "shell"):
                for at_once in (False, True):
                    with self.subTest(reaper=reaper, wrapper=wrapper, at_once=at_once):
                        self.check(reaper, wrapper, at_once)


class Wire(Case):
    """Messages that no client sends."""

    def raw(self, channel):
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.connect(f"tcp://127.0.0.1:{getattr(self.manager, channel + '_port')}")
        self.addCleanup(socket.close, 0)
        return socket

    def message(self, text, **changes):
        session = self.client.session
        message = session.msg("execute_request", {
            "code": text, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": True, **changes})
        return session.serialize(message)

    def test_forged_signatures_are_refused(self):
        socket = self.raw("shell")
        for forge in (lambda s: b"", lambda s: b"0" * 64, lambda s: s[:-1] + (b"0" if s[-1:] != b"0" else b"1"),
                      lambda s: s.upper() if s.upper() != s else b"x", lambda s: s + b"0", lambda s: b"\xff" * 64):
            frames = self.message("forged = true")
            frames[1] = forge(frames[1])
            socket.send_multipart(frames)
        self.assertFalse(socket.poll(300))
        self.assertEqual(self.result("rawget(_G, 'forged') == nil"), ["true"])

    def test_a_recorded_message_is_refused(self):
        socket = self.raw("shell")
        frames = self.message("n = (rawget(_G, 'n') or 0) + 1")
        for _ in range(3):
            socket.send_multipart(frames)
        # What comes on the same socket after them is answered after them.
        last = self.message("1")
        socket.send_multipart(last)
        answered = set()
        while len(answered) < 2:
            self.assertTrue(socket.poll(LONG * 1000))
            reply = self.client.session.deserialize(self.client.session.feed_identities(socket.recv_multipart())[1])
            answered.add(reply["parent_header"]["msg_id"])
        self.assertEqual(self.result("n"), ["1"])

    def test_wrong_types_are_answered(self):
        for changes in ({"code": 1}, {"silent": "yes"}, {"user_expressions": []}, {"stop_on_error": None, "code": None}):
            socket = self.raw("shell")
            socket.send_multipart(self.message("1", **changes))
            self.assertTrue(socket.poll(LONG * 1000), changes)
            reply = self.client.session.deserialize(self.client.session.feed_identities(socket.recv_multipart())[1])
            self.assertEqual(reply["content"]["status"], "error", changes)
            self.assertEqual(reply["content"]["ename"], "ProtocolError")

    def mutations(self):
        draw = random.Random(6)
        session = self.client.session

        def sign(parts):
            return [b"<IDS|MSG>", session.sign(parts), *parts]

        for number in range(400):
            frames = self.message(f"mutated = {number}")
            parts = frames[2:]
            kind = number % 8
            if kind == 0:  # bytes changed under a signature that fits
                index = draw.randrange(4)
                part = bytearray(parts[index])
                for _ in range(draw.randrange(1, 8)):
                    part[draw.randrange(len(part))] = draw.randrange(256)
                parts[index] = bytes(part)
                yield sign(parts)
            elif kind == 1:  # frames missing or doubled
                frames = sign(parts)
                index = draw.randrange(len(frames))
                yield frames[:index] + frames[index + 1:] if draw.random() < 0.5 else frames[:index] + frames[index:] * 2
            elif kind == 2:  # a frame that is no JSON object
                parts[draw.randrange(4)] = draw.choice([b"", b"[]", b"null", b"1", b'"', b"{", b"\xff\xfe", b"[" * 100000])
                yield sign(parts)
            elif kind == 3:  # a type that is not known, or no type
                parts[0] = session.pack({"msg_id": draw.choice(["a", 1, None]), "session": "s", "username": "u",
                                         "msg_type": draw.choice(["no_such_request", 5, "", None, "status"])})
                yield sign(parts)
            elif kind == 4:  # noise
                yield [draw.randbytes(draw.randrange(200)) for _ in range(draw.randrange(1, 12))]
            elif kind == 5:  # empty, or many frames
                yield [b""] * draw.choice([1, 2, 5, 500])
            elif kind == 6:  # content of another shape
                parts[3] = session.pack({draw.choice(["code", "cursor_pos", "restart"]): draw.choice(
                    [[], {}, 1.5, -1, 2**70, None, "x" * 1000, [[[[]]]]])})
                parts[0] = parts[0].replace(b"execute_request", draw.choice(
                    [b"execute_request", b"complete_request", b"inspect_request", b"history_request",
                     b"is_complete_request", b"comm_open", b"kernel_info_request"]))
                yield sign(parts)
            else:  # large
                parts[3] = session.pack({"code": "--" + "x" * draw.choice([10**5, 3 * 10**6])}) if number % 40 == 7 else b"{}"
                yield sign(parts)

    def test_mutated_messages_do_no_harm(self):
        sockets = [self.raw("shell"), self.raw("control"), self.raw("stdin")]
        for number, frames in enumerate(self.mutations()):
            sockets[number // 8 % 3].send_multipart(frames)
        hb = self.raw("hb")
        hb.send_multipart([b"", b"x" * 100, b"y"])
        iopub = zmq.Context.instance().socket(zmq.XSUB)
        iopub.connect(f"tcp://127.0.0.1:{self.manager.iopub_port}")
        self.addCleanup(iopub.close, 0)
        for frames in ([b""], [b"\x01"], [b"\x00"], [b"\x02junk"], [b"\x01stream", b"more"]):
            iopub.send_multipart(frames)
        reply, messages = self.run_cell('print("still here") return 6 * 7', timeout=LONG)
        self.assertEqual(reply["status"], "ok")
        self.assertIn("still here\n", [m["content"].get("text") for m in messages])
        self.assertTrue(self.manager.is_alive())


if __name__ == "__main__":
    unittest.main(verbosity=2)
