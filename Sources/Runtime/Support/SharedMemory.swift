/// A buffer that units of work write into, each into places of its own.
///
/// The compiler cannot see that no two units use one place, so whoever makes one answers for that, and for the buffer
/// living as long. Everything else that a unit captures is checked.
package struct DisjointPlaces<Element: Sendable>: @unchecked Sendable {
    private let buffer: UnsafeMutableBufferPointer<Element>

    /// The places of a buffer.
    package init(_ buffer: UnsafeMutableBufferPointer<Element>) { self.buffer = buffer }

    /// What lies at a place of the unit that asks.
    package subscript(place: Int) -> Element {
        get { buffer[place] }
        nonmutating set { buffer[place] = newValue }
    }

    /// Changes what lies at a place of the unit that asks, without a copy.
    package func update(_ place: Int, _ change: (inout Element) -> Void) { change(&buffer[place]) }
}

/// Memory that units of work read, and that nobody changes meanwhile.
///
/// As with `DisjointPlaces`, whoever makes one answers for that, and for the memory living as long.
package struct SharedReading<Element: Sendable>: @unchecked Sendable {
    /// Its first element.
    package let start: UnsafePointer<Element>

    /// The memory from a pointer on.
    package init(_ start: UnsafePointer<Element>) { self.start = start }

    /// The memory from a pointer on, which nobody writes to meanwhile.
    package init(_ start: UnsafeMutablePointer<Element>) { self.start = UnsafePointer(start) }

    /// An element.
    package subscript(index: Int) -> Element { start[index] }
}
