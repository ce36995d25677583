import ArgumentParser
import Bindings
import Foundation
import Runtime

/// `mtrepl kernel run`: what the specification starts.
struct KernelRun: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve the client that wrote a connection file.",
        discussion: "Jupyter starts this; messages are signed with the key in the file.")

    @Flag(help: "Accept an address that other machines can reach.")
    var remote = false

    @OptionGroup var options: KernelOptions

    @Argument(help: ArgumentHelp("What the client wrote.", valueName: "connection-file"))
    var file: String

    func run() throws {
        let connection = try ConnectionFile(file, remote: remote)
        // What the kernel itself has to say still goes where the client's terminal is.
        let terminal = dup(2)
        // A process that a cell starts finds the end of its input rather than waiting for nobody.
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        if nothing >= 0 { dup2(nothing, 0) }
        if let threads = options.threads { Parallel.threads = threads }
        var settings = Interpreter.Settings()
        settings.seed = options.seed
        settings.liveBytes = { Int64(Memory.liveBytes) }
        settings.store = options.store
        settings.strict = !options.noStrict
        settings.display.width = { Notebook.kernelWidth }
        settings.display.isLive = true
        if options.safe { settings.safeFolder = "." }
        let server = try KernelServer(connection, info: KernelInfo.reply(settings)) { text in
            var line = "mtrepl kernel: \(text)\n"
            line.withUTF8 { _ = write(terminal, $0.baseAddress, $0.count) }
        }
        let output = try KernelOutput(server)
        let input = KernelInput(server)
        let host = try Host(settings, observer: output, exclusive: true)
        host.interpreter.catchInterrupts(stays: true)
        if options.safe { FileAccess.exempt(KernelHistory.path) }
        input.stop = host.interpreter.shouldStop
        _ = host.begin()
        host.interpreter.wake(by: server.event)
        server.start(
            whenLeaving: host.interpreter.leaveWhenInterrupted, isAsked: host.interpreter.isLeaving)
        var code = Kernel(server, host, input, output, KernelHistory(KernelHistory.path)).run()
        // A signal that came between cells.
        code = host.interpreter.exitCode ?? code
        host.endBackground()
        // Before the interpreter is closed: the sockets' thread keeps interrupting it.
        server.finish()
        host.interpreter.close()
        throw ExitCode(code)
    }
}
