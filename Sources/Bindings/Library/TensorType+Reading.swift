import CLua
import Runtime

/// Nested lists of equal lengths, read into one list and a shape.
struct Nested<Element> {
    private(set) var elements: [Element] = []
    private(set) var shape: [Int] = []
    private var depthOfElements: Int?
    private let expected: String
    private let convert: (Value) -> Element?

    /// Reads a value.
    ///
    /// - Throws: `Mistake` naming the place that does not fit what came before it.
    init(
        _ value: Value, path: String, expected: String, _ convert: @escaping (Value) -> Element?
    ) throws {
        self.expected = expected
        self.convert = convert
        try read(value, path, 0)
    }

    private mutating func read(_ value: Value, _ path: String, _ depth: Int) throws {
        guard case .table(let table) = value else {
            guard let element = convert(value) else {
                throw Mistake(path, expected: expected, found: value)
            }
            guard depth == shape.count else {
                throw Mistake(
                    "\(path): a list of \(shape[depth]) expected as in the places before it, got \(value.summary)"
                )
            }
            depthOfElements = depth
            elements.append(element)
            return
        }
        if let field = table.fields.first {
            throw Mistake("\(path): a list expected, got a table with the key '\(field.key)'")
        }
        if depth == shape.count {
            guard depthOfElements == nil else {
                throw Mistake(
                    "\(path): \(expected) expected as in the places before it, got a list")
            }
            shape.append(table.items.count)
        }
        guard shape[depth] == table.items.count else {
            throw Mistake(
                "\(path): a list of \(shape[depth]) expected as in the places before it, got one of \(table.items.count)"
            )
        }
        for (index, item) in table.items.enumerated() {
            try read(item, "\(path)[\(index + 1)]", depth + 1)
        }
    }
}

/// Whole numbers with the shape they came in: positions, or ids.
package struct Positions {
    package let values: [Int]
    package let shape: [Int]

    init(_ value: Value, path: String) throws {
        if case .object(let reference) = value, let tensor = reference.get(Tensor.self) {
            let numbers = try tensor.values()
            if let bad = numbers.firstIndex(where: { Int(exactly: $0) == nil }) {
                throw Mistake(
                    "\(Self.place(bad, tensor.shape, path)): integer expected, got \(numbers[bad])")
            }
            values = numbers.map { Int($0) }
            shape = tensor.shape
        } else {
            let nested = try Nested(value, path: path, expected: "integer") { $0.integerValue }
            values = nested.elements
            shape = nested.shape
        }
    }

    /// Where an element stands: `ids[2][1]`.
    package static func place(_ element: Int, _ shape: [Int], _ path: String) -> String {
        var rest = element
        var indices: [String] = []
        for size in shape.reversed() {
            indices.insert("[\(rest % size + 1)]", at: 0)
            rest /= size
        }
        return path + indices.joined()
    }

    /// The position from 0 of one from 1, or of a negative one from the end.
    static func zeroBased(_ position: Int, _ size: Int, _ path: String) throws -> Int {
        if position >= 1, position <= size { return position - 1 }
        if position < 0, position >= -size { return position + size }
        let expected =
            size == 0 ? "no position, as the axis is empty," : "1 ... \(size) or -\(size) ... -1"
        throw Mistake("\(path): \(expected) expected, got \(position)")
    }

    /// All positions from 0.
    func zeroBased(_ size: Int, path: String) throws -> [Int32] {
        try values.enumerated().map { element, position in
            Int32(
                try Self.zeroBased(
                    position, min(size, Int(Int32.max)), Self.place(element, shape, path)))
        }
    }

    /// The numbers as ids, which lie in a range.
    package func ids(_ range: Range<Int>, path: String) throws -> [Int32] {
        try values.enumerated().map { element, id in
            guard range.contains(id), let short = Int32(exactly: id) else {
                throw Mistake(
                    "\(Self.place(element, shape, path)): id in \(range.lowerBound) ... \(range.upperBound - 1) expected, got \(id)"
                )
            }
            return short
        }
    }
}

extension Parameter {
    /// A tensor, or a number in its place.
    static func operand(_ name: String, _ help: String) -> Parameter {
        Parameter(name, .either([.object(["tensor"]), .number(.element)]), help)
    }
    /// Sizes of axes.
    package static func shape(_ help: String) -> Parameter {
        .integers("shape", help, .size)
    }
    /// An axis from 1, or from the end if negative.
    package static func axis(_ help: String) -> Parameter { .integer("axis", help, .axis) }
    /// Whole numbers: nested lists or a tensor.
    package static func positions(_ name: String, _ help: String) -> Parameter {
        Parameter(
            name, .either([.object(["tensor"]), .integer(.position), .table]), help)
    }
}

extension Call {
    /// A tensor; a number counts as one without axes.
    func operand(_ name: String) throws -> Tensor {
        if case .number(let number)? = try value(name) { return try Tensor.full([], Float(number)) }
        return try object(name)
    }

    /// An axis as Runtime counts them, if it was given.
    package func axis(rank: Int, _ name: String = "axis") throws -> Int? {
        guard let axis = try integer(ifPresent: name) else { return nil }
        return try zeroBasedAxis(axis, rank, name)
    }

    /// An axis that was given or has a default.
    func requiredAxis(rank: Int, _ name: String = "axis") throws -> Int {
        try zeroBasedAxis(try integer(name), rank, name)
    }

    private func zeroBasedAxis(_ axis: Int, _ rank: Int, _ name: String) throws -> Int {
        if axis >= 1, axis <= rank { return axis - 1 }
        if axis < 0, axis >= -rank { return axis + rank }
        let expected =
            rank == 0 ? "a tensor with axes" : "1 ... \(rank) or -\(rank) ... -1"
        throw mistake(name, "\(expected) expected, got \(axis)")
    }

    /// Whole numbers with their shape.
    package func positions(_ name: String) throws -> Positions {
        try naming(name) { try Positions(try value(name) ?? .null, path: name) }
    }

    /// Positions from 0 on an axis, with their shape.
    func zeroBased(_ name: String, _ size: Int) throws -> (values: [Int32], shape: [Int]) {
        let positions = try positions(name)
        return (try naming(name) { try positions.zeroBased(size, path: name) }, positions.shape)
    }

    /// One position from 0 on an axis.
    func zeroBasedInteger(_ name: String, _ size: Int) throws -> Int {
        let position = try integer(name)
        return try naming(name) { try Positions.zeroBased(position, size, name) }
    }

    /// Ids in a range, with their shape.
    package func ids(_ name: String, _ range: Range<Int>) throws -> (values: [Int32], shape: [Int])
    {
        let positions = try positions(name)
        return (try naming(name) { try positions.ids(range, path: name) }, positions.shape)
    }

    /// Turns a mistake inside an argument into an error that names the argument.
    func naming<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as Mistake {
            let index = function.parameters.firstIndex { $0.name == name } ?? 0
            throw ArgumentError(position: index + 1, function: function.name, text: error.text)
        }
    }

    /// Hands over a tensor; if there is no memory for it, garbage is collected and it is tried again.
    package func returns(_ make: () throws -> Tensor) throws {
        func made() throws -> Tensor {
            try Parallel.stoppable(
                interpreter.session.stop, "interrupted in \(function.name)", make)
        }
        do { try returns(try made()) } catch is OutOfMemory {
            interpreter.collect()
            try returns(try made())
        }
    }
}

/// Numbers on their way to Lua as nested lists.
package struct NestedNumbers: LuaConvertible {
    package let values: [Float]
    package let shape: [Int]

    /// Polled on the way.
    package var stop: ShouldStop = { false }

    package func write(to results: Results) throws {
        // An axis of no places does not make the tables around it fewer.
        var (tables, around) = (0, 1)
        for size in shape {
            tables = Int.saturatingSum(tables, around)
            around = Int.saturatingProduct(around, size)
        }
        try Memory.require(
            [
                ("tables", Int.saturatingProduct(tables, 120)),
                ("numbers", Int.saturatingProduct(values.count, 64)),
            ],
            for: "a table of \(shape.map(String.init).joined(separator: " × ")) numbers")
        var next = 0
        try write(to: results, axis: 0, &next)
    }

    private func write(to results: Results, axis: Int, _ next: inout Int) throws {
        guard axis < shape.count else {
            values[next].write(to: results)
            next += 1
            return
        }
        mt_list_table(results.list, shape[axis], 0)
        for index in 0..<shape[axis] {
            if index % 4096 == 0, stop() { throw Interrupted("interrupted in table") }
            try write(to: results, axis: axis + 1, &next)
            mt_list_item(results.list, Int64(index + 1))
        }
    }
}
