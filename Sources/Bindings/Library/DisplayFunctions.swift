import Foundation
import Runtime

extension Library {
    /// What a script shows besides printing.
    static var displays: Library { Library(functions: [show, display, clearOutput]) }

    /// Its body is in the prelude, where the prompt's printer is: values of any kind reach it as they are.
    private static var show: Function {
        Function(
            "show",
            "Shows values as the prompt shows the value of an expression: tables of records as tables, plots as plots. A script that was a notebook shows with it what the notebook showed.",
            [
                .any("value", "Any value; more may follow, and without one nothing is shown.")
                    .optional
            ],
            example: "mt.show({ { step = 1, loss = 5.5 }, { step = 2, loss = 5.25 } })"
        ) { _ in }
    }

    private static var display: Function {
        Function(
            "display",
            "Shows something in the richest of its forms that can be shown here: a notebook takes HTML or a picture, a terminal the text.",
            [
                .options([
                    .string("text", "The text form, for whoever shows nothing else.").item,
                    .string("html", "A fragment of HTML.").optional,
                    .string("svg", "An SVG document.").optional,
                    .bytes("png", "The bytes of a PNG file.").optional,
                    .string(
                        "id",
                        "A name: what is shown under it later takes the place of this in a notebook."
                    ).optional,
                ])
            ], example: "mt.display { \"3 of 4 arms\", html = \"<b>3</b> of 4 arms\" }"
        ) { call in
            let options = try call.options()
            var output = RichOutput(text: try options.string("text"))
            output.html = try options.string(ifPresent: "html")
            output.svg = try options.string(ifPresent: "svg")
            output.png = try options.value("png")?.bytesValue.map { Data($0) }
            output.id = try options.string(ifPresent: "id")
            call.interpreter.show(output)
        }
    }

    private static var clearOutput: Function {
        Function(
            "clear_output",
            "Removes what the present cell of a notebook has shown so far; elsewhere nothing happens.",
            [
                .boolean("wait", "Only when the next output comes, so that nothing flickers.").or(
                    false)
            ], example: "mt.clear_output(true)"
        ) { call in
            call.interpreter.settings.report(.clear(wait: try call.boolean("wait")))
        }
    }
}
