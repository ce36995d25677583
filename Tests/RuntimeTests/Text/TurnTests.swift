import Foundation
import Runtime
import Testing

@Suite("Turns of conversations") struct TurnTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// The document with `[` and `]` around what counts, or why it is refused.
    private func read(
        _ turns: String, _ change: (inout CorpusSpecification) -> Void = { _ in }
    ) throws -> String {
        let file = try scratch.write("a.jsonl", "{\"m\": [\(turns)]}\n")
        let chat = try Chat(
            field: "m",
            turns: [
                "system": "S {content};", "user": "U {content};", "assistant": "A {content};",
                "tool": "T {content};",
            ])
        do {
            var result = ""
            let corpus = try scratch.corpus(file) {
                $0.fields = .chat(chat)
                change(&$0)
            }
            try corpus.forEachDocument(.train) { document in
                for (bytes, counts) in document.parts {
                    let text = String(decoding: document.text[bytes], as: UTF8.self)
                    result += counts && !text.isEmpty ? "[\(text)]" : text
                }
            }
            return result
        } catch { return "\(error)" }
    }

    private func turn(_ role: String, _ content: String, _ more: String = "") -> String {
        "{\"role\": \"\(role)\", \"content\": \(content)\(more)}"
    }

    @Test("weights of 0 and train = false leave a turn out of the loss")
    func weights() throws {
        let (hi, again) = (turn("user", "\"hi\""), turn("user", "\"more\""))
        func two(_ more: String) throws -> String {
            try read(
                [hi, turn("assistant", "\"a\"", more), again, turn("assistant", "\"b\"")].joined(
                    separator: ","))
        }
        #expect(try two("") == "U hi;A [a;]U more;A [b;]")
        for one in [
            ", \"weight\": 1", ", \"weight\": 1.0", ", \"weight\": null", ", \"train\": true",
        ] {
            #expect(try two(one) == "U hi;A [a;]U more;A [b;]", "\(one)")
        }
        for zero in [
            ", \"weight\": 0", ", \"weight\": 0.0", ", \"train\": false",
            ", \"weight\": 1, \"train\": false",
        ] {
            #expect(try two(zero) == "U hi;A a;U more;A [b;]", "\(zero)")
        }
        #expect(try two(", \"weight\": 0.5").contains("\"weight\": expected 0 or 1, found 0.5"))
        #expect(try two(", \"weight\": true").contains("expected 0 or 1, found a boolean"))
        #expect(try two(", \"train\": 0").contains("\"train\": expected true or false"))
        #expect(
            try read([hi, turn("assistant", "\"a\"", ", \"weight\": 0")].joined(separator: ","))
                .contains("no turn of assistant that counts"))
    }

    @Test("lists of pieces are read if they are text")
    func lists() throws {
        func list(_ content: String) throws -> String {
            try read(turn("user", content) + "," + turn("assistant", "\"a\""))
        }
        #expect(
            try list(
                "[{\"type\": \"text\", \"text\": \"x\"}, {\"text\": \"y\", \"type\": \"text\"}]")
                == "U xy;A [a;]")
        #expect(try list("[\"x\"]") == "U x;A [a;]")
        #expect(try list("[]") == "U ;A [a;]")
        #expect(
            try list(
                "[{\"type\": \"text\", \"text\": \"x\"}, {\"type\": \"image_url\", \"image_url\": {}}]"
            )
            .contains(
                "turn 1 of \"m\": \"content\"[2]: expected {\"type\": \"text\", \"text\": …}, found one of type \"image_url\""
            ))
        #expect(try list("[{\"text\": \"x\"}]").contains("one without a type"))
        #expect(try list("[{\"type\": \"text\", \"text\": null}]").contains("without a text"))
        #expect(try list("[7]").contains("expected a string, found a number"))
        #expect(try list("{}").contains("expected a string, found an object"))
    }

    @Test("an answer without text is not learnt from without a word")
    func empty() throws {
        let calls = ", \"tool_calls\": [{\"name\": \"f\", \"arguments\": {\"x\": 1}}]"
        let (user, tool) = (turn("user", "\"hi\""), turn("tool", "\"2\""))
        for content in ["null", "\"\"", "[]"] {
            let turns = [
                user, turn("assistant", content, calls), tool, turn("assistant", "\"two\""),
            ].joined(separator: ",")
            #expect(try read(turns).contains("turn 2 of \"m\": it has tool_calls"))
            var chat = ChatOptions()
            chat.toolCalls = .json
            #expect(
                try read(turns) { $0.chat = chat }
                    == "U hi;A [[{\"name\": \"f\", \"arguments\": {\"x\": 1}}];]T 2;A [two;]")
            let plain = [user, turn("assistant", content), tool, turn("assistant", "\"two\"")]
                .joined(separator: ",")
            #expect(try read(plain).contains("missing = \"empty\""))
            #expect(try read(plain) { $0.allowsMissing = true } == "U hi;A ;T 2;A [two;]")
        }
        let said = [user, turn("assistant", "\"I ask\"", ", \"function_call\": {\"name\": \"f\"}")]
            .joined(separator: ",")
        #expect(try read(said).contains("it has function_call"))
        var chat = ChatOptions()
        chat.toolCalls = .json
        #expect(try read(said) { $0.chat = chat } == "U hi;A [I ask\n{\"name\": \"f\"};]")
        for none in [", \"tool_calls\": null", ", \"tool_calls\": []"] {
            #expect(try read(user + "," + turn("assistant", "\"a\"", none)) == "U hi;A [a;]")
        }
        let only = user + "," + turn("assistant", "null")
        #expect(
            try read(only) { $0.allowsMissing = true }.contains("no turn of assistant that counts"))
        #expect(
            try read("{\"role\": \"user\"}," + turn("assistant", "\"a\"")) {
                $0.allowsMissing = true
            } == "U ;A [a;]")
    }

    @Test("turns that cannot follow one another are refused where the order is checked")
    func order() throws {
        let (s, u, a) = (turn("system", "\"s\""), turn("user", "\"u\""), turn("assistant", "\"a\""))
        for (turns, reason) in [
            ([u, u, a], "user speaks twice"), ([u, a, a], "assistant speaks twice"),
            ([a, u, a], "assistant speaks before user"), ([s, a], "assistant speaks before user"),
            ([u, s, a], "a system turn comes first"), ([s, s, u, a], "a system turn comes first"),
        ] {
            let text = turns.joined(separator: ",")
            #expect(try read(text).contains("A [a;]"))
            var chat = ChatOptions()
            chat.order = .checked
            #expect(try read(text) { $0.chat = chat }.contains(reason))
        }
        #expect(try read([s, u, a].joined(separator: ",")) == "S s;U u;A [a;]")
        #expect(try read([u, a, u].joined(separator: ",")) == "U u;A [a;]U u;")
    }
}
