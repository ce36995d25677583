import Foundation
import LibFuzzer

// Which reader is fed, and where it may write: from the environment, as libFuzzer owns the command line.
private enum Fuzzing {
    static let target: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            fatalError("FUZZ_TARGET: expected \(known); found \"\(name)\"")
        }
        return target
    }()
    static let scratch =
        ProcessInfo.processInfo.environment["FUZZ_SCRATCH"] ?? NSTemporaryDirectory()

    static func run() -> CInt {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        return LLVMFuzzerRunDriver(&count, &arguments) { data, size in
            let bytes = Array(UnsafeBufferPointer(start: data, count: size))
            Fuzzing.target.run(bytes, scratch: Fuzzing.scratch)
            return 0
        }
    }
}

exit(Fuzzing.run())
