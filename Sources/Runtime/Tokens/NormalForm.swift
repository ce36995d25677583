import Foundation

/// Unicode normal form C.
///
/// Foundation's own form is right but for Hangul: it composes letters beyond the ranges that compose (U+1113 and U+1176,
/// for instance). So runs of Hangul are composed here, by Unicode's algorithm (The Unicode Standard, section 3.12), and
/// the text between them by Foundation. Hangul composes with nothing else, so that the parts are independent.
enum NormalForm {
    /// Text in normal form C; `nil` if it surely is so already, or is not UTF-8.
    static func composed(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        // Every character below U+0300, whose first byte is below 0xCC, is its own normal form.
        guard text.contains(where: { $0 >= 0xcc }),
            let string = String(validating: text, as: UTF8.self)
        else { return nil }
        guard string.unicodeScalars.contains(where: { jamo ~= $0.value }) else {
            return Array(string.precomposedStringWithCanonicalMapping.utf8)
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        let scalars = string.unicodeScalars
        var start = scalars.startIndex
        while start < scalars.endIndex {
            let hangul = isHangul(scalars[start])
            let end = scalars[start...].firstIndex { isHangul($0) != hangul } ?? scalars.endIndex
            let part = String(scalars[start..<end])
            result +=
                hangul
                ? Array(compose(part).utf8) : Array(part.precomposedStringWithCanonicalMapping.utf8)
            start = end
        }
        return result
    }

    private static let jamo: ClosedRange<UInt32> = 0x1100...0x11ff
    private static let syllables: ClosedRange<UInt32> = 0xac00...0xd7a3
    private static let leading: ClosedRange<UInt32> = 0x1100...0x1112
    private static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
    private static let trailing: ClosedRange<UInt32> = 0x11a8...0x11c2

    private static func isHangul(_ scalar: UnicodeScalar) -> Bool {
        jamo ~= scalar.value || syllables ~= scalar.value
    }

    /// Composes letters of Hangul into syllables.
    private static func compose(_ text: String) -> String {
        var values: [UInt32] = []
        for scalar in text.unicodeScalars {
            let value = scalar.value
            if let last = values.last {
                if leading ~= last, vowels ~= value {
                    let pair = (last - leading.lowerBound) * 21 + value - vowels.lowerBound
                    values[values.count - 1] = syllables.lowerBound + pair * 28
                    continue
                }
                if syllables ~= last, (last - syllables.lowerBound) % 28 == 0, trailing ~= value {
                    values[values.count - 1] = last + value - trailing.lowerBound + 1
                    continue
                }
            }
            values.append(value)
        }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: values.compactMap(UnicodeScalar.init))
        return String(result)
    }
}
