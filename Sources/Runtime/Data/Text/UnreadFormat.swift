/// Formats that are known but not read, so that an error can say what a file is and what to do with it.
enum UnreadFormat: CaseIterable {
    case bzip2, xz, lz4, otherPacked, packedTwice, zip, sevenZip, rar, tar, parquet, arrow, numpy,
        hdf5, sqlite, pdf

    /// What it is called.
    var name: String {
        switch self {
        case .bzip2: "a bzip2 file"
        case .xz: "an xz file"
        case .lz4: "an LZ4 file"
        case .otherPacked: "a file compressed in another form"
        case .packedTwice: "a file compressed twice"
        case .zip: "a ZIP archive"
        case .sevenZip: "a 7z archive"
        case .rar: "a RAR archive"
        case .tar: "a tar archive"
        case .parquet: "a Parquet file"
        case .arrow: "an Arrow file"
        case .numpy: "a NumPy file"
        case .hdf5: "an HDF5 file"
        case .sqlite: "an SQLite database"
        case .pdf: "a PDF file"
        }
    }

    /// What a researcher can do.
    var advice: String {
        switch self {
        case .bzip2: "unpack it with bunzip2, or pack it with gzip or zstd instead"
        case .xz: "unpack it with unxz, or pack it with gzip or zstd instead"
        case .lz4: "unpack it with lz4 -d, or pack it with gzip or zstd instead"
        case .otherPacked: "unpack it, or pack it with gzip (.gz) or zstd (.zst) instead"
        case .packedTwice: "unpack it once"
        case .zip: "unpack it with unzip and name the files in it"
        case .sevenZip: "unpack it with 7z x and name the files in it"
        case .rar: "unpack it with unrar x and name the files in it"
        case .tar: "unpack it with tar xf and name the files in it"
        case .parquet, .arrow: "scripts/parquet_to_jsonl.py converts it"
        case .numpy: "write its numbers alone with tofile, or its texts as .jsonl"
        case .hdf5, .sqlite, .pdf: "write its texts as .jsonl"
        }
    }

    private var endings: [String] {
        switch self {
        case .bzip2: [".bz2", ".bz"]
        case .xz: [".xz", ".lzma"]
        case .lz4: [".lz4"]
        case .otherPacked: [".zstd", ".br", ".z", ".sz", ".snappy", ".lzo"]
        // What is left of a name without its last .gz or .zst.
        case .packedTwice: [".gz", ".zst"]
        case .zip: [".zip"]
        case .sevenZip: [".7z"]
        case .rar: [".rar"]
        case .tar: [".tar", ".tgz", ".tbz2", ".txz"]
        case .parquet: [".parquet"]
        case .arrow: [".arrow", ".feather"]
        case .numpy: [".npy", ".npz"]
        case .hdf5: [".h5", ".hdf5"]
        case .sqlite: [".sqlite"]
        case .pdf: [".pdf"]
        }
    }

    /// The bytes that such a file has at an offset; `nil` if only its name tells.
    private var mark: (bytes: [UInt8], offset: Int)? {
        switch self {
        case .bzip2: (Array("BZh".utf8), 0)
        case .xz: ([0xfd] + Array("7zXZ".utf8) + [0], 0)
        case .lz4: ([0x04, 0x22, 0x4d, 0x18], 0)
        case .otherPacked, .packedTwice: nil
        case .zip: (Array("PK".utf8) + [3, 4], 0)
        case .sevenZip: (Array("7z".utf8) + [0xbc, 0xaf, 0x27, 0x1c], 0)
        case .rar: (Array("Rar!".utf8) + [0x1a, 7], 0)
        case .tar: (Array("ustar".utf8), 257)
        case .parquet: (Array("PAR1".utf8), 0)
        case .arrow: (Array("ARROW1".utf8), 0)
        case .numpy: ([0x93] + Array("NUMPY".utf8), 0)
        case .hdf5: ([0x89] + Array("HDF".utf8), 0)
        case .sqlite: (Array("SQLite format 3".utf8), 0)
        case .pdf: (Array("%PDF-".utf8), 0)
        }
    }

    /// Whether a folder with such a file holds text that would be left out without a word.
    var mayHoldText: Bool {
        switch self {
        case .numpy, .hdf5, .sqlite, .pdf: false
        default: true
        }
    }

    /// The format that the end of a name says, however its letters are written.
    static func named(_ path: String) -> UnreadFormat? {
        let path = Compression.of(path).stem.lowercased()
        return allCases.first { $0.endings.contains { path.hasSuffix($0) } }
    }

    /// The format of a file that begins with these bytes.
    static func of(_ start: some Collection<UInt8>) -> UnreadFormat? {
        // An archive without entries begins with its end.
        if start.starts(with: Array("PK".utf8) + [5, 6]) { return .zip }
        return allCases.first { format in
            guard let (bytes, offset) = format.mark else { return false }
            guard format != .bzip2 || start.dropFirst(4).starts(with: [0x31, 0x41, 0x59]) else {
                return false
            }
            return start.dropFirst(offset).starts(with: bytes)
        }
    }

    /// `it is NAME: ADVICE`.
    var reason: String { "it is \(name), which is not read: \(advice)" }
}
