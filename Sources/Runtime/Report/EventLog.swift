import RuntimeSupport

/// What an event file of ours holds: the points that a program shows of it.
package struct EventLog {
    private struct Point: Equatable {
        let tag: String
        let step: UInt64
        /// The bits of the value, as NaN differs from itself.
        let value: UInt32

        init(tag: String, step: UInt64, value: UInt32) {
            self.tag = tag
            self.step = step
            self.value = value
        }

        init(_ scalar: EventFile.Scalar) {
            self.init(
                tag: scalar.tag, step: UInt64(max(0, scalar.step)),
                value: Float(scalar.value).bitPattern)
        }
    }

    /// The bytes of its whole records.
    package private(set) var length = 0
    private var points: [Point] = []

    /// The names of its curves.
    package var tags: Set<String> { Set(points.map(\.tag)) }

    /// Reads a file; `nil` if it is damaged or not of ours.
    ///
    /// A last record that was cut off is left out.
    package init?(_ bytes: [UInt8]) {
        var isFirst = true
        while length < bytes.count {
            guard let (data, end) = Self.record(bytes, from: length) else {
                // Only the end may be missing.
                guard Self.isCutOff(bytes, from: length), !isFirst else { return nil }
                return
            }
            guard let event = Event(data), isFirst == event.isVersion else { return nil }
            if event.isStart {
                points.removeAll { $0.step >= event.step }
            } else if let tag = event.tag, let value = event.value {
                points.append(Point(tag: tag, step: event.step, value: value))
            }
            isFirst = false
            length = end
        }
        if isFirst { return nil }
    }

    /// The messages to append so that the file shows these scalars.
    package func continuation(_ scalars: [EventFile.Scalar]) -> [[UInt8]] {
        let wanted = scalars.map(Point.init)
        var same = 0
        while same < points.count, same < wanted.count, points[same] == wanted[same] { same += 1 }
        guard same < points.count else { return scalars[same...].map(\.event) }
        let step = (points[same...] + wanted[same...]).map(\.step).min() ?? 0
        let rest = scalars.filter { UInt64(max(0, $0.step)) >= step }
        var log = EventFile.Message()
        log.add(1, UInt64(1))
        var restart = EventFile.Message()
        restart.add(1, rest.first?.time ?? 0)
        restart.add(2, step)
        restart.add(7, log.bytes)
        return [restart.bytes] + rest.map(\.event)
    }

    // MARK: - Reading

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The data of the record at `start`, and its end; `nil` for one that is not whole.
    private static func record(_ bytes: [UInt8], from start: Int) -> (ArraySlice<UInt8>, end: Int)?
    {
        guard bytes.count - start >= 12 else { return nil }
        let length = bytes[start..<start + 8]
        guard UInt64(CRC32C.masked(Array(length))) == number(bytes[start + 8..<start + 12]),
            let count = Int(exactly: number(length)), count <= bytes.count - start - 16
        else { return nil }
        let data = bytes[start + 12..<start + 12 + count]
        let end = start + 16 + count
        guard UInt64(CRC32C.masked(Array(data))) == number(bytes[end - 4..<end]) else {
            return nil
        }
        return (data, end)
    }

    /// Whether the record at `start` has a true length that reaches beyond the file, or not even a length.
    private static func isCutOff(_ bytes: [UInt8], from start: Int) -> Bool {
        guard bytes.count - start >= 12 else { return true }
        let length = bytes[start..<start + 8]
        return UInt64(CRC32C.masked(Array(length))) == number(bytes[start + 8..<start + 12])
            && number(length) > UInt64(bytes.count - start) - 12
    }

    /// The fields of an event that are ours.
    private struct Event {
        var step: UInt64 = 0
        var isVersion = false
        var isStart = false
        var tag: String?
        var value: UInt32?

        /// `nil` if the message is malformed.
        init?(_ data: ArraySlice<UInt8>) {
            guard let fields = Self.fields(data) else { return nil }
            for field in fields {
                switch field.number {
                case 2: step = field.value
                case 3: isVersion = true
                case 5:
                    guard let values = Self.fields(field.bytes) else { return nil }
                    for value in values where value.number == 1 {
                        guard let parts = Self.fields(value.bytes) else { return nil }
                        for part in parts {
                            if part.number == 1 {
                                tag = String(decoding: part.bytes, as: UTF8.self)
                            }
                            if part.number == 2 {
                                guard let value = UInt32(exactly: part.value) else { return nil }
                                self.value = value
                            }
                        }
                    }
                case 7:
                    guard let parts = Self.fields(field.bytes) else { return nil }
                    isStart = parts.contains { $0.number == 1 && $0.value == 1 }
                default: break
                }
            }
        }

        private struct Field {
            let number: UInt64
            var value: UInt64 = 0
            var bytes: ArraySlice<UInt8> = []
        }

        private static func fields(_ data: ArraySlice<UInt8>) -> [Field]? {
            var rest = data
            var fields: [Field] = []
            func variable() -> UInt64? {
                var value: UInt64 = 0
                for shift in stride(from: UInt64(0), to: 70, by: 7) {
                    guard let byte = rest.popFirst() else { return nil }
                    value |= UInt64(byte & 0x7f) << shift
                    if byte < 0x80 { return value }
                }
                return nil
            }
            func take(_ count: UInt64) -> ArraySlice<UInt8>? {
                guard count <= UInt64(rest.count) else { return nil }
                defer { rest = rest.dropFirst(Int(count)) }
                return rest.prefix(Int(count))
            }
            while !rest.isEmpty {
                guard let key = variable() else { return nil }
                var field = Field(number: key >> 3)
                switch key & 7 {
                case 0:
                    guard let value = variable() else { return nil }
                    field.value = value
                case 1, 5:
                    guard let bytes = take(key & 7 == 1 ? 8 : 4) else { return nil }
                    field.value = number(bytes)
                case 2:
                    guard let count = variable(), let bytes = take(count) else { return nil }
                    field.bytes = bytes
                default: return nil
                }
                fields.append(field)
            }
            return fields
        }
    }
}
