import Bindings
import Runtime

/// What a kernel says of itself.
enum KernelInfo {
    static let reply: JSON = [
        "status": "ok", "protocol_version": .string(KernelSession.version),
        "implementation": "mtrepl", "implementation_version": .string(Version.text),
        "language_info": [
            "name": "lua", "version": "5.4", "mimetype": "text/x-lua", "file_extension": ".lua",
            "pygments_lexer": "lua", "codemirror_mode": "lua", "nbconvert_exporter": "script",
        ],
        "banner": .string(
            "mtrepl \(Version.text) – ?name or help(name) explains, Tab completes, who() lists"),
        "debugger": false, "help_links": [],
    ]
}
