"""jupyter_kernel_test over the kernel, with every optional part enabled."""
import unittest

import jupyter_kernel_test

KERNEL = "mtrepl"


class KernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = KERNEL
    language_name = "lua"
    file_extension = ".lua"

    code_hello_world = 'print("hello, world")'
    code_stderr = 'io.stderr:write("to standard error\\n")'
    completion_samples = [
        {"text": "string.fo", "matches": {"format"}},
        {"text": 'local ä = "ö" mt.recip', "matches": {"recipe"}},
        {"text": "nothing_is_called_this", "matches": set()},
    ]
    complete_code_samples = ["1 + 1", "local a = 1", "for i = 1, 3 do print(i) end", "?mt.corpus", "-- nothing"]
    incomplete_code_samples = ["for i = 1, 3 do", "f(", "local t = {", "if x then\n  y()", '"a" ..', "[[ text"]
    invalid_code_samples = ["local 1", "end", "x = = 1", "return )"]
    code_page_something = "?mt.corpus"
    code_generate_error = 'error("on purpose")'
    code_execute_result = [
        {"code": "1 + 2", "result": "3"},
        {"code": '"a" .. "b"', "result": "ab"},
        {"code": "{ 1, 2, 3 }", "result": "{ 1, 2, 3 }"},
        {"code": "{ { a = 1, b = 2 }, { a = 3, b = 4 } }", "mime": "text/html"},
    ]
    code_display_data = [
        {"code": 'mt.display { "words", html = "<b>words</b>" }', "mime": "text/html"},
        {
            "code": "mt.display { 'a dot', svg = '<svg xmlns=\"http://www.w3.org/2000/svg\"/>' }",
            "mime": "image/svg+xml",
        },
        {"code": 'mt.display { "a picture", png = "\\x89PNG" }', "mime": "image/png"},
    ]
    code_history_pattern = "1 + ?"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "mt.corpus"
    code_clear_output = "mt.clear_output()"


class IopubWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = KERNEL
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
