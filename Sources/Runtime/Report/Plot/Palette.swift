import Foundation

/// Colours that people with any kind of colour vision can tell apart.
enum Palette {
    /// For things of different kinds.
    ///
    /// - Source: Okabe and Ito (2008), Color universal design; the yellow, faint on white, comes last.
    static let kinds = [
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
    ]
    /// Shapes of points, so that colour is not all that tells groups apart; fewer than colours, so that pairs of both repeat
    /// only after 56.
    private static let shapes = [7, 5, 9, 13, 11, 6, 4]
    /// Dashes of lines; pairs with colours repeat only after 40.
    private static let dashes = [1, 2, 4, 5, 3]

    /// The colour of kind `index`, the first following the last.
    static func kind(_ index: Int) -> String { kinds[index % kinds.count] }

    /// The shape of kind `index`.
    static func shape(_ index: Int) -> Int { shapes[index % shapes.count] }

    /// The dash of kind `index`.
    static func dash(_ index: Int) -> Int { dashes[index % dashes.count] }

    /// A course of colours between fixed ones at equal distances.
    struct Scale {
        let stops: [(red: Int, green: Int, blue: Int)]

        /// From dark to bright; lightness alone shows the order.
        ///
        /// - Source: after viridis of Smith and van der Walt (2015).
        static let sequential = Scale([
            0x44_0154, 0x47_2D7B, 0x3B_528B, 0x2C_728E, 0x21_918C, 0x28_AE80, 0x5E_C962, 0xAD_DC30,
            0xFD_E725,
        ])
        /// From blue over white to orange, for differences: white is none.
        static let diverging = Scale([0x0B_4F8A, 0x6B_AED6, 0xF7_F7F7, 0xF1_A340, 0x99_4A00])

        init(_ colours: [Int]) {
            stops = colours.map { ($0 >> 16 & 255, $0 >> 8 & 255, $0 & 255) }
        }

        /// As gnuplot's `set palette defined` takes it.
        var definition: String {
            let parts = stops.enumerated().map { index, colour in
                "\(index) '\(Self.text(colour))'"
            }
            return "set palette defined (\(parts.joined(separator: ", ")))"
        }

        private static func text(_ colour: (red: Int, green: Int, blue: Int)) -> String {
            String(format: "#%02X%02X%02X", colour.red, colour.green, colour.blue)
        }

        /// Whether text on the colour at `fraction` of the way should be dark.
        func wantsDarkText(_ fraction: Double) -> Bool {
            let place = max(0, min(1, fraction)) * Double(stops.count - 1)
            let index = min(stops.count - 2, Int(place))
            let (a, b) = (stops[index], stops[index + 1])
            func part(_ first: Int, _ second: Int) -> Double {
                let value = (Double(first) + (place - Double(index)) * Double(second - first)) / 255
                return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
            }
            // Relative luminance (WCAG 2); at 0.18 black and white contrast equally.
            let light =
                0.2126 * part(a.red, b.red) + 0.7152 * part(a.green, b.green)
                + 0.0722 * part(a.blue, b.blue)
            return light > 0.18
        }
    }
}
