import Foundation
import Runtime

/// Signs what is sent and checks what is received, with HMAC-SHA256 (RFC 2104).
struct Signer: Sendable {
    private static let blockBytes = 64
    private var inner = SHA256()
    private var outer = SHA256()

    init(key: String) {
        var block = Array(key.utf8)
        if block.count > Self.blockBytes {
            var hash = SHA256()
            hash.add(block)
            block = hash.finish()
        }
        block += [UInt8](repeating: 0, count: Self.blockBytes - block.count)
        inner.add(block.map { $0 ^ 0x36 })
        outer.add(block.map { $0 ^ 0x5c })
    }

    private func code(_ frames: some Sequence<[UInt8]>) -> [UInt8] {
        var (inner, outer) = (inner, outer)
        for frame in frames { inner.add(frame) }
        outer.add(inner.finish())
        return outer.finish()
    }

    /// The signature in hexadecimal digits.
    func sign(_ frames: some Sequence<[UInt8]>) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return code(frames).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// Whether a signature is that of the frames; takes the same time wherever it differs.
    func accepts(_ signature: [UInt8], _ frames: some Sequence<[UInt8]>) -> Bool {
        guard signature.count == 2 * SHA256.byteCount else { return false }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: signature.count, by: 2) {
            guard let high = Self.digit(signature[index]),
                let low = Self.digit(signature[index + 1])
            else { return false }
            bytes.append(high << 4 | low)
        }
        // No earlier end where they differ sooner.
        return zip(code(frames), bytes).reduce(0) { $0 | $1.0 ^ $1.1 } == 0
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// A message that a client sent, or what replies to it need of it.
struct KernelMessage: Sendable {
    struct Header: Decodable, Sendable {
        let msg_id: String
        let msg_type: String
        let session: String
    }

    /// Why a message is dropped.
    enum Refusal: Error {
        case shape(String)
        case signature
    }

    /// Between the addresses and the signature.
    static let delimiter = Array("<IDS|MSG>".utf8)

    /// Where replies go.
    let identities: [[UInt8]]
    let signature: [UInt8]
    let header: Header
    /// The header as it came: the parent header of replies.
    let rawHeader: [UInt8]
    let content: [UInt8]

    /// Takes a message apart; its signature is checked before anything else is looked at.
    ///
    /// - Throws: `Refusal`.
    init(_ frames: [[UInt8]], _ signer: Signer) throws {
        guard let mark = frames.firstIndex(of: Self.delimiter) else {
            throw Refusal.shape("there is no delimiter")
        }
        guard frames.count >= mark + 6 else {
            throw Refusal.shape("\(frames.count - mark - 1) frames follow the delimiter, not 5")
        }
        guard signer.accepts(frames[mark + 1], frames[(mark + 2)...(mark + 5)]) else {
            throw Refusal.signature
        }
        identities = Array(frames[..<mark])
        signature = frames[mark + 1]
        rawHeader = frames[mark + 2]
        content = frames[mark + 5]
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(rawHeader))
        } catch let error as DecodingError {
            throw Refusal.shape("header: \(error.place)")
        }
    }

    /// The content as a request.
    ///
    /// - Throws: `DecodingError`.
    func request<Request: Decodable>(_ type: Request.Type) throws -> Request {
        try JSONDecoder().decode(type, from: Data(content))
    }
}

/// Makes the frames of messages of one session.
struct KernelSession: Sendable {
    /// Protocol version of what is sent.
    static let version = "5.4"

    let signer: Signer
    private let name = UUID().uuidString.lowercased()

    init(_ signer: Signer) { self.signer = signer }

    /// The frames of a message.
    ///
    /// - Parameters:
    ///   - type: Such as `status`.
    ///   - addresses: Where it goes, or its topic.
    ///   - parent: The header of what it answers, as it came.
    func frames(
        _ type: String, to addresses: [[UInt8]], parent: [UInt8]?, _ content: JSON
    ) -> [[UInt8]] {
        let date = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let header: JSON = [
            "msg_id": .string(UUID().uuidString.lowercased()), "session": .string(name),
            "username": "mtrepl", "date": .string(date), "msg_type": .string(type),
            "version": .string(Self.version),
        ]
        let body = [
            header.bytes, parent ?? Array("{}".utf8), Array("{}".utf8), content.bytes,
        ]
        return addresses + [KernelMessage.delimiter, signer.sign(body)] + body
    }
}
