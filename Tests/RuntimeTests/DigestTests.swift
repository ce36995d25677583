import CDigest
import Runtime
import TestSupport
import Testing

// One at a time: which instructions are used is the process's.
@Suite("SHA-256", .serialized) struct DigestTests {
    private func hex(_ text: some Sequence<UInt8>) -> String { Digest.of(Array(text)).hex }

    @Test("the examples of FIPS 180-4", arguments: [Int32(0), 1])
    func examples(portable: Int32) {
        cd_use_portable(portable)
        defer { cd_use_portable(0) }
        for (text, expected) in [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ] {
            #expect(hex(text.utf8) == expected)
        }
    }

    @Test(
        "pieces of any length give the same digest, with and without the processor's instructions")
    func pieces() {
        var generator = Draws(seed: 7)
        for length in Array(0...200) + [4095, 4096, 4097, 100_000] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let whole = hex(bytes)
            cd_use_portable(1)
            #expect(hex(bytes) == whole, "\(length) bytes")
            cd_use_portable(0)
            var hash = SHA256()
            var start = 0
            while start < length {
                let end = min(length, start + Int.random(in: 0...150, using: &generator))
                hash.add(bytes[start..<end])
                start = end
            }
            #expect(Digest(hash).hex == whole, "\(length) bytes in pieces")
        }
    }
}
