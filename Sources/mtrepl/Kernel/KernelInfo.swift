import Bindings
import Runtime

/// What a kernel says of itself.
enum KernelInfo {
    /// The answer to `kernel_info_request`.
    ///
    /// Front ends copy `language_info` into a notebook's metadata: there replay finds the settings that results depend on.
    static func reply(_ settings: Interpreter.Settings) -> JSON {
        [
            "status": "ok", "protocol_version": .string(KernelSession.version),
            "implementation": "mtrepl", "implementation_version": .string(Version.text),
            "language_info": [
                "name": "lua", "version": "5.4", "mimetype": "text/x-lua", "file_extension": ".lua",
                "pygments_lexer": "lua", "codemirror_mode": "lua", "nbconvert_exporter": "script",
                "mtrepl": [
                    "seed": Int(exactly: settings.seed).map { JSON.integer($0) } ?? .null,
                    "strict": .boolean(settings.strict),
                    "width": .integer(settings.display.width()),
                ],
            ],
            "banner": .string(
                "mtrepl \(Version.text) – ?name or help(name) explains, Tab completes, who() lists"),
            "debugger": false, "help_links": [],
        ]
    }
}
