import Foundation
import Runtime
import Testing

/// Small files, whole and damaged, for every reader.
@Suite("Arbitrary bytes") struct FuzzReplayTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Reference/fuzz").path

    @Test(
        "readers refuse what they cannot read and do nothing else", arguments: FuzzTarget.allCases)
    func replay(target: FuzzTarget) throws {
        let scratch = try Scratch()
        let place = "\(Self.folder)/\(target.rawValue)"
        let names = try FileManager.default.contentsOfDirectory(atPath: place).sorted()
        #expect(names.count > 3)
        for name in names {
            let bytes = try FileReader.bytes("\(place)/\(name)")
            target.run(bytes, scratch: scratch.path)
            // The same cut short, and with every bit of some bytes turned.
            let step = max(1, bytes.count / 40)
            for cut in stride(from: 0, to: bytes.count, by: step) {
                target.run(Array(bytes[..<cut]), scratch: scratch.path)
                var turned = bytes
                turned[cut] ^= 0xff
                target.run(turned, scratch: scratch.path)
            }
        }
    }
}
