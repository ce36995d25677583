import RuntimeSupport

extension Tokenizer {
    /// The ids of some texts, on all threads; the same ids for any number of threads.
    ///
    /// Texts that stand behind no other begin with `opening`.
    ///
    /// - Parameters:
    ///   - continuing: Whether the text of an index stands behind other text.
    ///   - templateText: Of each text, where special tokens become their ids; none without it.
    package func encode(
        texts: [[UInt8]], continuing: (Int) -> Bool = { _ in false },
        templateText: [[Range<Int>]]? = nil
    ) -> [[Int32]] {
        var pieces: [(text: Int, range: Range<Int>, continues: Bool)] = []
        for (index, text) in texts.enumerated() {
            let isPlain = templateText?[index].isEmpty ?? true
            if isPlain && allowsPieces && text.count > Self.pieceBytes {
                let ranges = text.withUnsafeBytes {
                    WordPattern.pieces($0, size: Self.pieceBytes)
                }
                // Pieces but the first begin with a space.
                pieces.append(contentsOf: ranges.map { (index, $0, continuing(index)) })
            } else {
                pieces.append((index, 0..<text.count, continuing(index)))
            }
        }
        // A unit is a run of pieces of about `pieceBytes` together.
        var units: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for (index, piece) in pieces.enumerated() {
            bytes += piece.range.count
            if bytes >= Self.pieceBytes || index == pieces.count - 1 {
                units.append(start..<index + 1)
                start = index + 1
                bytes = 0
            }
        }
        var encoded = [[Int32]](repeating: [], count: pieces.count)
        encoded.withUnsafeMutableBufferPointer { encoded in
            let places = DisjointPlaces(encoded)
            Parallel.forEach(units.count) { [pieces, units] unit in
                for index in units[unit] {
                    let piece = pieces[index]
                    let marked = templateText?[piece.text] ?? []
                    places[index] = texts[piece.text].withUnsafeBytes {
                        encode(
                            UnsafeRawBufferPointer(rebasing: $0[piece.range]),
                            continuing: piece.continues,
                            special: marked.isEmpty ? .plain : .parsedWithin(marked))
                    }
                }
            }
        }
        if pieces.count == texts.count, opening.isEmpty { return encoded }
        var result = texts.indices.map { continuing($0) ? [] : opening }
        for (index, piece) in pieces.enumerated() {
            result[piece.text].append(contentsOf: encoded[index])
        }
        return result
    }

    private static let pieceBytes = 1 << 17
}
